"""Timeframes as text (``1m``, ``4h``, ``1d``, ``1mo``) and in microseconds, and their inference from timestamps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np

from maestro.errors import BarsError
from maestro.typing import IntArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
YEAR_US = 365 * DAY_US
MONTH_US = YEAR_US // 12
"""Nominal length of a month; where a month really ends, `bar_ends` says."""
_UNITS = {"s": SECOND_US, "m": 60 * SECOND_US, "h": HOUR_US, "d": DAY_US, "w": WEEK_US}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_STRAY = 0.01
"""Share of the distances between stamps that may be shorter than a timeframe: a stray stamp is a quality finding."""


def _parse(timeframe: object) -> tuple[int, str]:
    match = re.fullmatch(r"([1-9]\d*)(mo|M|[smhdwqy])", timeframe.strip()) if isinstance(timeframe, str) else None
    if match is None:
        raise BarsError(
            f"timeframe {timeframe!r} is not understood; give a number and s, m, h, d, w, mo, q or y, like '1h' or "
            "'1mo'."
        )
    return int(match[1]), "mo" if match[2] == "M" else match[2]


def timeframe_us(timeframe: str) -> int:
    """Length of a bar [µs]: ``"4h"`` is 14,400,000,000. Months have a nominal length, a twelfth of 365 days.

    Raises `BarsError` for anything but a number and s, m (minutes), h, d, w, mo (also M), q or y.
    """
    count, unit = _parse(timeframe)
    return count * _MONTHS[unit] * MONTH_US if unit in _MONTHS else count * _UNITS[unit]


def timeframe_months(timeframe: str) -> int:
    """Months of a bar, 0 for a timeframe that is not counted in months: 3 for ``"1q"``, 12 for ``"1y"``."""
    count, unit = _parse(timeframe)
    return count * _MONTHS.get(unit, 0)


def whole_days(timeframe: str) -> bool:
    """Whether a bar lasts days, weeks or months, so that its date says when it begins: not for ``"36h"``."""
    return timeframe_months(timeframe) > 0 or timeframe_us(timeframe) % DAY_US == 0


def timeframe_name(length_us: int) -> str:
    """Shortest text for a length [µs]: 14,400,000,000 is ``"4h"``; a nominal month is ``"1mo"``."""
    if length_us > 0 and length_us % MONTH_US == 0:
        months = length_us // MONTH_US
        for unit in ("y", "q", "mo"):
            if months % _MONTHS[unit] == 0:
                return f"{months // _MONTHS[unit]}{unit}"
    for unit in ("w", "d", "h", "m", "s"):
        if length_us % _UNITS[unit] == 0:
            return f"{length_us // _UNITS[unit]}{unit}"
    raise BarsError(f"bars of {length_us} µs have no timeframe; the shortest is 1s.")


def bar_ends(time: IntArray, timeframe: str) -> IntArray:
    """End of each bar [µs since 1970]: open plus length, by the calendar for months."""
    months = timeframe_months(timeframe)
    if not months:
        return time + timeframe_us(timeframe)
    moments = time.view("datetime64[us]")
    whole = moments.astype("datetime64[M]")
    into = moments - whole
    # From the 31st of a month, the end is the last day of the next one at most.
    later = (whole + months).astype("datetime64[us]")
    last = (whole + months + 1).astype("datetime64[us]") - later
    ends: IntArray = (later + np.minimum(into, last)).view(np.int64)
    return ends


def infer_timeframe(timestamp_us: IntArray) -> str:
    """Greatest common step of the distances between stamps; a single stray stamp changes nothing.

    Distances that occur once among many are left out: a last row that belongs to an unfinished bar, an hour that was
    shifted. Bars of which each lies in another month are months (quarters, years), whatever their days.

    Raises
    ------
    BarsError
        Fewer than two stamps, or distances without a common step of at least a second.
    """
    if len(timestamp_us) < 2:
        raise BarsError("the timeframe cannot be inferred from fewer than two bars; pass timeframe='1h', say.")
    steps, counts = np.unique(np.diff(timestamp_us), return_counts=True)
    months = _month_step(timestamp_us, steps, counts)
    if months:
        return timeframe_name(months * MONTH_US)
    often = counts >= max(2, _STRAY * counts.sum() / 4) if len(steps) > 1 and counts.max() > 2 else counts > 0
    common = int(np.gcd.reduce(steps[often]))
    # Days and weeks that skip weekends and holidays have steps of 1, 3, 4 …; of weeks a shorter one is a stray.
    if common < SECOND_US:
        common = int(steps[counts.argmax()])
    return timeframe_name(common)


def _month_step(timestamp_us: IntArray, steps: IntArray, counts: IntArray) -> int:
    """Months between bars, 0 where the stamps are not monthly."""
    middle = int(np.median(np.repeat(steps, counts)))
    if middle < 27 * DAY_US:
        return 0
    months = timestamp_us.view("datetime64[us]").astype("datetime64[M]").view(np.int64)
    apart = np.diff(months)
    if (apart <= 0).mean() > _STRAY:
        return 0
    found, often = np.unique(apart[apart > 0], return_counts=True)
    common = int(np.gcd.reduce(found[often >= max(1, _STRAY * often.sum())]))
    return common if abs(middle - common * MONTH_US) < 4 * DAY_US * max(1, common // 3) else 0


def as_datetime(stamp_us: int) -> datetime:
    """Stamp [µs since 1970] as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=int(stamp_us))
