"""What a message says of stamps that cannot be read, and which years are taken for stamps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

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
    low, high = utc.min(), utc.max()
    last = last_year()
    if low is None or (low.year >= FIRST_YEAR and high.year <= last):  # type: ignore[union-attr]
        return
    row = int((~utc.dt.year().is_between(FIRST_YEAR, last)).arg_true()[0])
    value = utc[row] if shown is None else shown[row]
    raise BarsError(
        f"the timestamp {shown_value(value)} at {(place or row_name)(row)} would be in the year {utc[row].year}; "
        f"stamps from {FIRST_YEAR} to {last} are read: {UNDERSTOOD}. {REMEDY}"
    )


def row_name(row: int) -> str:
    """Name of a row of a frame."""
    return f"row {row}"


def shown_value(value: object) -> str:
    """A stamp as it stands in the source."""
    return repr(value) if isinstance(value, str) else str(value)
