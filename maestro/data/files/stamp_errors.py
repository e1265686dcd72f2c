"""Error messages for timestamps that cannot be read, and the range of valid years."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import MAXYEAR, MINYEAR, UTC, datetime

import polars as pl

from maestro.data.files.options import say
from maestro.errors import BarsError

Place = Callable[[int], str]
FIRST_YEAR = 1900
"""Stamps before this year, or after next year, are taken for something that is not a stamp."""
UNDERSTOOD = (
    "ISO dates (2024-01-31 16:00), dates with another order, separator or month name, compact dates (20240131, "
    "20240131160000), and epochs in s, ms, µs or ns"
)
REMEDY = (
    f"Give the column of the stamps, {say('columns', timestamp='NAME')}, or their format, {say('unit', '%d/%m/%Y')}."
)


def last_year() -> int:
    """The latest year that stamps may have: next year."""
    return datetime.now(UTC).year + 1


def check_years(utc: pl.Series, place: Place | None = None, shown: pl.Series | None = None) -> None:
    """Refuse stamps before 1900 or after next year, with the first of them."""
    last, dtype = last_year(), utc.dtype
    if not isinstance(dtype, pl.Datetime) or utc.drop_nulls().is_empty():
        return
    # As integers: a stamp outside the years 1 to 9999 is not a Python datetime.
    ticks, second = utc.to_physical(), {"ms": 10**3, "us": 10**6, "ns": 10**9}[dtype.time_unit]
    first, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * second for year in (FIRST_YEAR, last + 1))
    outside = (ticks < first) | (ticks >= end)
    if not outside.any():
        return
    row = int(outside.arg_true()[0])
    year = 1970 + math.floor(ticks[row] / second / (365.2425 * 86_400))
    source = utc if shown is None else shown
    far = source.dtype.is_temporal() and not MINYEAR < year < MAXYEAR
    value = source.to_physical()[row] if far else source[row]
    raise BarsError(
        f"the timestamp {shown_value(value)} at {(place or row_name)(row)} would be in the year {year}; "
        f"stamps from {FIRST_YEAR} to {last} are read: {UNDERSTOOD}. {REMEDY}"
    )


def row_name(row: int) -> str:
    """Name of a row of a frame."""
    return f"row {row}"


def shown_value(value: object) -> str:
    """A stamp as it stands in the source."""
    return repr(value) if isinstance(value, str) else str(value)
