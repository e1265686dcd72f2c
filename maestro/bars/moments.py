"""Dates, datetimes and ISO text as users give them, in microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from maestro.data.files.stamps import read_stamps
from maestro.data.timeframes import EPOCH
from maestro.errors import BarsError


def range_text(start: Any, end: Any) -> str:
    """Words for a range of bars: ``from 2020 on``, ``before 2021``, or ``from 2020 up to 2021``."""
    if end is None:
        return f"from {start} on"
    if start is None:
        return f"before {end}"
    reversed_ = " (the end is not after the start)" if as_us(start) >= as_us(end) else ""
    return f"from {start} up to {end}{reversed_}"


def as_us(moment: str | date | np.datetime64) -> int:
    """Moment as microseconds since 1970, UTC; naive moments are UTC, ``"2024"`` and ``"2024-05"`` begin then.

    ``"1970-01-02"`` is 86,400,000,000.
    """
    if isinstance(moment, str):
        whole = moment + "-01-01"[3 * moment.count("-") :] if re.fullmatch(r"\d{4}(-\d{2})?", moment) else moment
        try:
            return int(read_stamps(pl.Series([whole])).to_physical()[0])
        except BarsError:
            raise BarsError(
                f"{moment!r} is not a moment; give a date, a datetime or ISO text like '2024-01-31 16:00'."
            ) from None
    if isinstance(moment, np.datetime64) and not np.isnat(moment):
        return int(moment.astype("datetime64[us]").astype(np.int64))
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(microseconds=1)
    if isinstance(moment, date):
        return as_us(datetime(moment.year, moment.month, moment.day))
    raise BarsError(f"{moment!r} is not a moment; give a date, a datetime or ISO text like '2024-01-31 16:00'.")
