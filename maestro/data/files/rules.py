"""Which bars are refused: rules of stamps, prices and volumes, each breach named with its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.data.files.frames import OPTIONAL, PRICES
from maestro.data.timeframes import as_datetime, infer_timeframe
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray


def check_bars(time: IntArray, columns: dict[str, FloatArray]) -> None:
    """Raise `BarsError` for the first broken rule, with its rows; an open outside [low, high] is odd, not broken."""
    steps = np.diff(time)
    if (steps <= 0).any():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1
        if steps[row - 1] == 0:
            count = int((steps == 0).sum())
            raise BarsError(
                f"duplicate timestamp {as_datetime(time[row])} at rows {row - 1} and {row} "
                f"({count} duplicates in all); keep one row a bar."
            )
        newest = " (newest first)" if (steps < 0).all() else ""
        raise BarsError(
            f"timestamps are not increasing{newest}: row {row} is {as_datetime(time[row])} after "
            f"{as_datetime(time[row - 1])}; sort the frame by its timestamp."
        )
    high, low, close, volume = (columns[name] for name in ("high", "low", "close", "volume"))
    for name in PRICES:
        _refuse(~np.isfinite(columns[name]), time, f"{name} is NaN or infinite", "drop or mend these rows")
        _refuse(columns[name] <= 0, time, f"{name} is not above zero", "prices must be positive")
    _refuse(high < low, time, "high is below low", "look for swapped columns or a bad tick")
    _refuse(high < close, time, "high is below close", "look for swapped columns or a bad tick")
    _refuse(low > close, time, "low is above close", "look for swapped columns or a bad tick")
    _refuse(~np.isfinite(volume), time, "volume is missing, NaN or infinite", "fill it with 0 where there was no trade")
    _refuse(volume < 0, time, "volume is negative", "volumes are 0 or more")
    for name in OPTIONAL:
        if name in columns:
            _refuse(np.isinf(columns[name]), time, f"{name} is infinite", "leave it empty where it is unknown")


def check_distance(time: IntArray, timeframe: str, length: int) -> None:
    """Refuse a timeframe that the stamps contradict: it annualises and resamples everything wrongly."""
    if len(time) < 3:
        return
    steps = np.diff(time)
    if np.median(steps) < length or steps.min() > length:
        raise BarsError(
            f"timeframe {timeframe!r} does not fit: the bars are {infer_timeframe(time)} apart; "
            "give that timeframe, or resample() the bars."
        )


def _refuse(bad: Any, time: IntArray, what: str, remedy: str) -> None:
    if not bad.any():
        return
    rows = np.flatnonzero(bad)
    shown = ", ".join(f"{row} ({as_datetime(time[row]):%Y-%m-%d %H:%M})" for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    raise BarsError(f"{what} at row{'s' if len(rows) > 1 else ''} {shown}{more}; {remedy}.")
