"""Rows of a stored series: check, merge by timestamp, slice without copies, fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from maestro.data.files.names import OPTIONAL, REQUIRED
from maestro.data.stores.keys import SeriesKey
from maestro.errors import BarsError
from maestro.typing import IntArray

STAMP = pl.Datetime("us", "UTC")
NEEDED: dict[str, tuple[str, ...]] = {
    "bars": REQUIRED[1:],
    "funding": ("funding_rate",),
    "open_interest": ("open_interest",),
    "basis": ("basis",),
}
ALLOWED = {name: (*needed, *(OPTIONAL if name == "bars" else ())) for name, needed in NEEDED.items()}
EARLIEST, LATEST = -(2**62), 2**62  # stand for an open start and end


@dataclass(frozen=True, slots=True)
class AppendResult:
    """Result of an append: new rows, rows that replaced a different one, and rows that were already stored."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: AppendResult) -> AppendResult:
        return AppendResult(
            self.inserted + other.inserted, self.changed + other.changed, self.unchanged + other.unchanged
        )


def empty_rows(series: str) -> pl.DataFrame:
    """No rows, with the columns that the series needs."""
    return pl.DataFrame(schema={"timestamp": STAMP, **{name: pl.Float64() for name in NEEDED[series]}})


def check_rows(key: SeriesKey, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows as they are stored: ascending, one a stamp (the last one counts), canonical types, null for no value.

    Whether prices make sense is not asked here: `Bars.from_frame` refuses and `quality()` reports it.

    Raises
    ------
    BarsError
        A missing or foreign column, stamps that are null or not Datetime('us', 'UTC'), text or infinite numbers.
    """
    needed, allowed = NEEDED[key.series], ALLOWED[key.series]
    names = set(frame.columns)
    missing = [name for name in ("timestamp", *needed) if name not in names]
    foreign = sorted(names - {"timestamp", *allowed})
    if missing or foreign:
        problems = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(foreign)}"] * bool(foreign)
        raise BarsError(
            f"{key}: the frame {' and '.join(problems)}; stored are timestamp, {', '.join(allowed)}"
            + (f" (needed: {', '.join(needed)})." if len(allowed) > len(needed) else ".")
        )
    stamps = frame["timestamp"]
    if stamps.dtype != STAMP:
        raise BarsError(f"{key}: timestamp has type {stamps.dtype}; give {STAMP}, as canonical_frame does.")
    if stamps.null_count():
        raise BarsError(f"{key}: the timestamp is missing at row {stamps.is_null().arg_true()[0]}; drop these rows.")
    columns = [_numbers(key, frame[name], name in needed) for name in allowed if name in names]
    rows = pl.DataFrame([stamps, *(column for column in columns if column is not None)])
    steps = np.diff(stamps.to_physical().to_numpy())
    if (steps > 0).all():
        return rows
    return rows.unique("timestamp", keep="last", maintain_order=True).sort("timestamp")


def _numbers(key: SeriesKey, column: pl.Series, needed: bool) -> pl.Series | None:
    if not column.dtype.is_numeric() and column.dtype != pl.Null:
        raise BarsError(f"{key}: column {column.name} has type {column.dtype}; give numbers.")
    values = column.cast(pl.Float64).fill_nan(None)
    infinite = values.is_infinite()
    if infinite.any():
        row = infinite.arg_true()[0]
        raise BarsError(f"{key}: {column.name} is {values[int(row)]} at row {row}; leave it empty where it is unknown.")
    return values if needed or values.null_count() < len(values) else None


def timestamps_of(rows: pl.DataFrame) -> IntArray:
    """Stamps of rows [µs], without a copy."""
    return rows["timestamp"].to_physical().to_numpy()


def ends(start: int | None, end: int | None) -> tuple[int, int]:
    """A range with numbers for open ends."""
    return EARLIEST if start is None else start, LATEST if end is None else end


def cut(rows: pl.DataFrame, start: int | None, end: int | None) -> pl.DataFrame:
    """Rows with stamps from `start` up to and without `end` [µs]; a view, and always a new frame object."""
    stamps = timestamps_of(rows)
    low = 0 if start is None else int(np.searchsorted(stamps, start))
    high = len(stamps) if end is None else int(np.searchsorted(stamps, end))
    return rows.slice(low, max(high - low, 0))


def tidy(series: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Columns in their order, without optional ones that hold no value here."""
    names = [
        name
        for name in ALLOWED[series]
        if name in rows.columns and (name in NEEDED[series] or rows[name].null_count() < len(rows))
    ]
    return rows if ["timestamp", *names] == rows.columns else rows.select("timestamp", *names)


def merge(series: str, old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.DataFrame, AppendResult]:
    """Rows of both, `new` where stamps meet (the whole row), and what that did."""
    if not len(old) or not len(new):
        return (old if len(old) else new), AppendResult(inserted=len(new))
    old_stamps, new_stamps = timestamps_of(old), timestamps_of(new)
    names = [name for name in ALLOWED[series] if name in old.columns or name in new.columns]
    old, new = _with_columns(old, names), _with_columns(new, names)
    if old_stamps[-1] < new_stamps[0]:
        return pl.concat([old, new], rechunk=True), AppendResult(inserted=len(new))
    if new_stamps[-1] < old_stamps[0]:
        return pl.concat([new, old], rechunk=True), AppendResult(inserted=len(new))
    place = np.minimum(np.searchsorted(old_stamps, new_stamps), len(old_stamps) - 1)
    met = old_stamps[place] == new_stamps
    differs = differing(old[place[met]], new.filter(pl.Series(met)), names)
    counts = AppendResult(int((~met).sum()), differs, int(met.sum()) - differs)
    if not counts.inserted and not counts.changed:
        return old, counts
    kept = np.ones(len(old), np.bool_)
    kept[place[met]] = False
    return pl.concat([old.filter(pl.Series(kept)), new]).sort("timestamp"), counts


def differing(one: pl.DataFrame, other: pl.DataFrame, names: Iterable[str]) -> int:
    """Number of rows in which two frames of equal length differ."""
    return int(differences(one, other, names).sum())


def differences(one: pl.DataFrame, other: pl.DataFrame, names: Iterable[str]) -> pl.Series:
    """For each row whether two frames of equal length differ there; a column that is absent is null."""
    result = pl.Series(np.zeros(len(one), np.bool_))
    for name in names:
        sides = [frame[name] if name in frame.columns else _nulls(name, len(frame)) for frame in (one, other)]
        result = result | sides[0].ne_missing(sides[1])
    return result


def without(rows: pl.DataFrame, start: int | None, end: int | None, stamps: IntArray | None) -> pl.DataFrame:
    """Rows outside [start, end), or inside it those whose stamp is not listed."""
    own = timestamps_of(rows)
    low, high = ends(start, end)
    hit = (own >= low) & (own < high)
    if stamps is not None:
        hit &= np.isin(own, stamps, assume_unique=True)  # both are; else they are hashed first, 5 s a million
    return rows.filter(pl.Series(~hit)) if hit.any() else rows


def as_stamps(stamps: object) -> IntArray | None:
    """Stamps to delete as sorted int64 [µs]: a polars series of datetimes or any whole numbers; None stays None."""
    if stamps is None:
        return None
    if isinstance(stamps, pl.Series) and isinstance(stamps.dtype, pl.Datetime):
        stamps = stamps.dt.epoch("us").to_numpy()
    return np.unique(np.asarray(stamps, np.int64))


def fingerprint_rows(series: str, rows: pl.DataFrame) -> str:
    """SHA-256 of stamps and values of rows as stores give them, the same for every store and machine.

    -0.0 counts as 0.0; of values that are missing only that they are.
    """
    rows = tidy(series, rows)
    sha = hashlib.sha256(f"rows1 {series} {len(rows)}".encode())
    sha.update(np.ascontiguousarray(timestamps_of(rows), "<i8").data)
    for name in rows.columns[1:]:
        sha.update(name.encode())
        values = rows[name].fill_null(np.nan).to_numpy() + 0.0
        sha.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values), "<f8").data)
    return sha.hexdigest()


def _with_columns(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    missing = [_nulls(name, len(rows)) for name in names if name not in rows.columns]
    return rows.with_columns(missing).select("timestamp", *names)


def _nulls(name: str, length: int) -> pl.Series:
    return pl.repeat(None, length, dtype=pl.Float64, eager=True).alias(name)
