"""Daily and longer bars by their calendar date: stamps at another hour than midnight UTC become dates."""

from __future__ import annotations

import numpy as np

from maestro.bars.calendar import weekday_of
from maestro.data.timeframes import DAY_US, HOUR_US, timeframe_us
from maestro.typing import IntArray

_HOURS = 3
"""Different times of day that stamps of one market have at most: winter, summer, and a short day."""


def calendar_dates(time: IntArray, timeframe: str) -> tuple[IntArray, str]:
    """Stamps of daily or longer bars as the dates of their exchange, and a note of what was changed.

    A bar stamped 14:30 UTC from Monday to Friday is of that date; one stamped 22:00 UTC from Sunday to Thursday belongs
    to the next date. Where both readings have bars on weekends (a market that never closes), the stamps stay.

    Parameters
    ----------
    time : int64[n] [µs since 1970, UTC]
    timeframe : str
        Shorter ones than a day come back unchanged.
    """
    if timeframe_us(timeframe) < DAY_US:
        return time, ""
    hours = np.unique(time % DAY_US)
    if not hours.any() or len(hours) > _HOURS or hours.max() - hours.min() > 2 * HOUR_US:
        return time, ""
    same = time // DAY_US * DAY_US
    for dates, words in ((same, "the same date"), (same + DAY_US, "the date that follows")):
        if (weekday_of(dates) < 5).all() and (np.diff(dates) > 0).all():
            shown = " and ".join(f"{h // HOUR_US:02d}:{h % HOUR_US // 60_000_000:02d}" for h in hours.tolist())
            return dates, f"daily stamps at {shown} UTC were taken as {words}"
    return time, ""
