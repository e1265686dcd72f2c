"""Timeframes as text (``1m``, ``4h``, ``1d``) and as microseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np

from maestro.errors import BarsError
from maestro.typing import IntArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
YEAR_US = 365 * DAY_US
_UNITS = {"s": SECOND_US, "m": 60 * SECOND_US, "h": 3_600 * SECOND_US, "d": DAY_US, "w": 7 * DAY_US}


def timeframe_us(timeframe: str) -> int:
    """Length of a bar [µs]; ``"4h"`` is 14,400,000,000. Raises `BarsError` for anything but s, m, h, d, w."""
    match = re.fullmatch(r"([1-9]\d*)([smhdw])", timeframe.strip()) if isinstance(timeframe, str) else None
    if match is None:
        raise BarsError(f"timeframe {timeframe!r} is not understood; give a number and s, m, h, d or w, like '1h'.")
    return int(match[1]) * _UNITS[match[2]]


def timeframe_name(length_us: int) -> str:
    """Shortest text for a length [µs]: 14,400,000,000 is ``"4h"``."""
    for unit in ("w", "d", "h", "m", "s"):
        if length_us % _UNITS[unit] == 0:
            return f"{length_us // _UNITS[unit]}{unit}"
    raise BarsError(f"bars of {length_us} µs have no timeframe; the shortest is 1s.")


def infer_timeframe(timestamp_us: IntArray) -> str:
    """Commonest distance between stamps as a timeframe; weekends and holes do not disturb it."""
    if len(timestamp_us) < 2:
        raise BarsError("the timeframe cannot be told from fewer than two bars; pass timeframe='1h', say.")
    steps, counts = np.unique(np.diff(timestamp_us), return_counts=True)
    return timeframe_name(int(steps[counts.argmax()]))


def as_datetime(stamp_us: int) -> datetime:
    """Stamp [µs since 1970] as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=int(stamp_us))
