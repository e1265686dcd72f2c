"""Read numbers as timestamps: epochs in any unit, dates written as one number, and Excel's day numbers."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from maestro.data.files.options import say
from maestro.data.files.stamp_errors import FIRST_YEAR, UNDERSTOOD, Place, check_years, last_year, shown_value
from maestro.data.timeframes import DAY_US, SECOND_US, YEAR_US
from maestro.errors import BarsError

STAMP = pl.Datetime("us", "UTC")
UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}
WORDS = {"s": "s", "ms": "ms", "us": "µs", "ns": "ns"}
_SIZES = ((10**11, "s"), (10**14, "ms"), (10**17, "us"), (2**63 - 1, "ns"))  # epochs below the bound, from 1973 on
_LEAST = 10**8  # smaller numbers may be row numbers, days or times of day as well as seconds
_COMPACT = {6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EXCEL = (25_569, 60_000)  # day numbers of 1970 and 2064
_EXCEL_ZERO_US = -25_569 * DAY_US


@dataclass(frozen=True, slots=True)
class ParsedNumbers:
    """Stamps that were numbers: in UTC, or (`naive`) as a clock shows them."""

    stamps: pl.Series
    how: str
    notes: tuple[str, ...] = ()
    naive: bool = False


def read_numbers(column: pl.Series, place: Place, *, checked: bool) -> ParsedNumbers:
    """Read numbers as stamps: compact dates, epochs in s, ms, µs or ns, or (with `checked`) the days of Excel.

    Parameters
    ----------
    column : series of numbers without nulls
    place : function, name of a row in messages
    checked : bool
        Refuse numbers that are more likely row numbers, days or times of day than seconds.

    Raises
    ------
    BarsError
        Numbers that are not finite, too small, or of several units of which one cannot be recognised.
    """
    if column.dtype.is_float():
        if not column.is_finite().all():
            row = int((~column.is_finite()).arg_true()[0])
            raise BarsError(f"the timestamp is {column[row]} at {place(row)}; give finite epoch numbers.")
        if (column == column.round()).all() and float(column.abs().max() or 0) < 2**63:  # type: ignore[arg-type]
            column = column.cast(pl.Int64)
    if not column.dtype.is_float():
        column = column.cast(pl.Int64)
        compact = _compact(column)
        if compact is not None:
            return ParsedNumbers(compact[0], f"dates written as {compact[1].replace('%', '')}", naive=True)
    if checked:
        low, high = float(column.min()), float(column.max())  # type: ignore[arg-type]
        if _EXCEL[0] <= low and high < _EXCEL[1]:
            note = f"stamps like {shown_value(column[0])} are read as the day numbers of Excel"
            return ParsedNumbers(numbers_in(column, "excel"), "day numbers of Excel", (note,), naive=True)
        if max(abs(low), abs(high)) < _LEAST:
            raise BarsError(
                f"the timestamp {shown_value(column[0])} at {place(0)} is too small for an epoch: it may be a row "
                f"number, a day number or a time of day. Read are {UNDERSTOOD}. Give the column of the stamps: "
                f"{say('columns', timestamp='NAME')}, or their unit: {say('unit', 's')}."
            )
    return _epochs(column, place)


def _epochs(column: pl.Series, place: Place) -> ParsedNumbers:
    size = column.abs()
    largest = float(size.max() or 0)  # type: ignore[arg-type]
    unit = next(unit for bound, unit in _SIZES if largest < bound)
    utc = numbers_in(column, unit)
    leap = utc.to_physical().diff().abs().max()
    bound = next(limit for limit, name in _SIZES if name == unit)
    # A unit that changes on the way puts its rows next to 1970, decades from the others.
    if leap is not None and leap > 10 * YEAR_US and float(size.min() or 0) < bound / 1000:  # type: ignore
        return _mixed_epochs(column, place)
    return ParsedNumbers(utc, f"epoch in {WORDS[unit]} ({len(str(int(largest)))} digits)")


def _mixed_epochs(column: pl.Series, place: Place) -> ParsedNumbers:
    """Epochs of several units, each recognised by its digits."""
    size = column.abs()
    if (size < _LEAST).any() or column.dtype.is_float():
        raise BarsError(
            f"the timestamps mix units: from {column.min()!r} to {column.max()!r}; give all in s, ms, µs or ns."
        )
    parts, low, used = [], 0, []
    for bound, unit in _SIZES:
        chosen = (size >= low) & (size < bound)
        if chosen.any():
            used.append(WORDS[unit])
            parts.append((chosen, numbers_in(column, unit)))
        low = bound
    utc = parts[0][1]
    for chosen, one in parts[1:]:
        utc = pl.select(pl.when(chosen).then(one).otherwise(utc)).to_series()
    check_years(utc, place, column)
    note = f"the stamps change their unit, and are read by their number of digits: {' and '.join(used)}"
    return ParsedNumbers(utc, f"epochs in {' and '.join(used)}, by their digits", (note,))


def numbers_in(column: pl.Series, unit: str) -> pl.Series:
    """Stamps of numbers, or texts of numbers, in a unit: ``s``, ``ms``, ``us``, ``ns`` or ``excel``.

    Raises
    ------
    BarsError
        Texts that are not numbers.
    """
    number = column
    if not column.dtype.is_numeric():
        number = (
            column.cast(pl.String).str.strip_chars().cast(pl.Float64 if unit == "excel" else pl.Int64, strict=False)
        )
        if number.null_count() and unit != "excel":
            number = column.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
        if number.null_count():
            raise BarsError(
                f"the stamps are not numbers (the first is {column[0]!r}), so their unit is not {unit}; leave unit "
                f"out, or give the format of the dates: {say('unit', '%Y-%m-%d')}."
            )
    if unit == "excel":
        whole = (number.cast(pl.Float64) * 86_400).round().cast(pl.Int64) * SECOND_US + _EXCEL_ZERO_US
    elif unit == "ns":
        whole = number.cast(pl.Int64) // 1_000
    elif number.dtype.is_float():
        whole = (number * UNITS[unit]).round().cast(pl.Int64)
    else:
        whole = number.cast(pl.Int64) * UNITS[unit]
    return whole.cast(STAMP)


def _compact(column: pl.Series) -> tuple[pl.Series, str] | None:
    """Dates written as numbers, 20240131 or 20240131160000; as an epoch they would be of another age."""
    low, high = int(column.min() or 0), int(column.max() or 0)  # type: ignore[arg-type]
    digits = len(str(high))
    last = last_year()
    if low <= 0 or len(str(low)) != digits or digits not in _COMPACT:
        return None
    scale = 10 ** (digits - 4)
    if not (low // scale >= FIRST_YEAR and high // scale <= last):
        return None
    text, form = column.cast(pl.String), _COMPACT[digits]
    if digits == 6:
        text, form = text + "01", "%Y%m%d"
    elif digits == 10:
        text, form = text + "00", "%Y%m%d%H%M"
    wall = text.str.to_datetime(form, time_unit="us", strict=False)
    return None if wall.null_count() else (wall, _COMPACT[digits])
