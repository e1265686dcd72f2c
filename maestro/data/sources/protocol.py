"""The interface of every source of market data: pages of rows in order, and confirmed gaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import polars as pl

from maestro.data.timeframes import DAY_US

STAMP = pl.Datetime("us", "UTC")
COLUMNS: dict[str, tuple[str, ...]] = {
    "bars": ("open", "high", "low", "close", "volume"),
    "funding": ("funding_rate",),
    "open_interest": ("open_interest",),
    "basis": ("basis",),
}
Span = tuple[int, int]  # [µs) from the first, up to and without the second


@dataclass(frozen=True, slots=True)
class Page:
    """Rows and gaps of a stretch of time.

    Attributes
    ----------
    frame : polars frame
        ``timestamp`` (a bar's open, Datetime µs UTC, strictly increasing, inside the stretch) and the series' Float64
        columns; may be empty.
    start, end : int [µs]
        The stretch that this page answers for, `end` not included; later pages answer for later stretches.
    gaps : tuple of (start, end) [µs]
        Parts of the stretch for which the exchange has answered several times that it has no row.
    """

    frame: pl.DataFrame
    start: int
    end: int
    gaps: tuple[Span, ...] = ()


@runtime_checkable
class Source(Protocol):
    """An exchange or an archive.

    Obligations: rows come as the source has them, numbers to the last bit, none twice, none of a bar still open,
    none outside the stretch asked for; pages come in order of time, so that what was received before an interruption
    is a whole first part. A page's `gaps` may be empty where the source cannot tell.

    Errors: `SourceError` where the source refuses, is away or bans; `SettingsError` for a series or timeframe that
    it does not have.
    """

    provider: str

    def step_us(self, series: str, timeframe: str) -> int:
        """Distance of rows [µs]: the bar's length; the longest interval of settlements for funding."""
        ...

    def earliest(self, series: str) -> int | None:
        """Stamp [µs] before which the source never has this series, whatever the symbol; None where there is none."""
        ...

    def pages(self, symbol: str, series: str, timeframe: str, start: int, end: int) -> AsyncIterator[Page]:
        """Rows with stamps from `start` up to and without `end` [µs]."""
        ...


@runtime_checkable
class ChecksSymbols(Protocol):
    """A source that can check the format of its symbols before any request."""

    def check_symbol(self, symbol: str) -> None:
        """Raise `SettingsError` for a symbol that the source cannot have."""
        ...


def empty_frame(series: str) -> pl.DataFrame:
    """No row of a series, with its columns."""
    return pl.DataFrame(schema={"timestamp": STAMP, **{name: pl.Float64() for name in COLUMNS[series]}})


def make_frame(series: str, stamps_us: Iterable[int], columns: Iterable[Iterable[Any]]) -> pl.DataFrame:
    """Rows of a series: whole numbers become stamps [µs], numbers and texts become float64 to the last bit.

    Raises
    ------
    ValueError
        A stamp or a number that is missing, not finite or cannot be read.
    """
    frame = empty_frame(series)
    try:
        values = {"timestamp": pl.Series(list(stamps_us), dtype=pl.Int64).cast(STAMP)}
        for name, column in zip(COLUMNS[series], columns, strict=True):
            values[name] = pl.Series([float(value) for value in column], dtype=pl.Float64)
        frame = pl.DataFrame(values, schema=frame.schema)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a value that is not a number ({error})") from None
    for column in frame.iter_columns():
        if column.dtype == pl.Float64 and not column.is_finite().all():
            raise ValueError(f"{column.name} is not finite in a row")
    return frame


def check_page(frame: pl.DataFrame, start: int, end: int) -> pl.DataFrame:
    """Refuse an answer that does not match the request: rows outside the stretch, duplicates, or wrong order.

    Raises
    ------
    ValueError
        Says which; the client asks again.
    """
    stamps = frame["timestamp"].to_physical()
    if len(stamps) and not stamps.diff().drop_nulls().gt(0).all():
        raise ValueError("rows twice or out of order")
    if len(stamps) and (stamps[0] < start or stamps[-1] >= end):
        raise ValueError("rows of another stretch of time than was asked for")
    return frame


def align_up(stamp_us: int, step_us: int) -> int:
    """First open at or after a stamp on the UTC grid; weeks open on Monday."""
    origin = 4 * DAY_US if step_us % (7 * DAY_US) == 0 else 0
    return -((origin - stamp_us) // step_us) * step_us + origin
