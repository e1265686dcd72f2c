"""Validation rules of bars: timestamps, prices and volumes; each violation is reported with its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.data.files.names import OPTIONAL, PRICES
from maestro.data.files.options import say
from maestro.data.timeframes import as_datetime, infer_timeframe, timeframe_months, timeframe_us
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray

LAST_BITS = 1e-9
"""Relative difference up to which a high below a close is rounding of adjusted prices."""
EXTREME = 1e100
"""Largest price, and its inverse the smallest: beyond them products with cash and units leave the range of floats."""
SHORTEST_MONTH, LONGEST_MONTH = 0.9, 1.05
"""Bounds of a month against its nominal length, in which the distances of monthly bars lie."""


class Rows:
    """Names of rows for messages: numbers of a frame's rows, or lines of a file."""

    def __init__(self, numbers: IntArray | None = None, first_line: int | None = None) -> None:
        self.numbers, self.first_line = numbers, first_line

    @property
    def word(self) -> str:
        """``"line"`` of a file or ``"row"`` of a frame."""
        return "row" if self.first_line is None else "line"

    def number(self, row: int) -> int:
        """Number of a row as a user counts it."""
        own = row if self.numbers is None else int(self.numbers[row])
        return own + (self.first_line or 0)

    def __call__(self, row: int) -> str:
        return f"{self.word} {self.number(row)}"


def clip_last_bits(columns: dict[str, Any]) -> str:
    """Widen highs and lows that miss another price by a last bit, in place; a note where there were any.

    Adjusted prices are products, and each is rounded by itself: yfinance's have highs 2e-16 below the close.
    """
    high, low, ends = columns["high"], columns["low"], (columns["open"], columns["close"])
    if not (any((high < one).any() or (low > one).any() for one in ends) or (high < low).any()):
        return ""
    top = np.fmax(np.fmax(columns["open"], columns["close"]), low)
    bottom = np.fmin(np.fmin(columns["open"], columns["close"]), high)
    above = (high < top) & (high >= top * (1 - LAST_BITS))
    below = (low > bottom) & (low <= bottom * (1 + LAST_BITS))
    count = int((above | below).sum())
    if not count:
        return ""
    columns["high"] = np.where(above, top, high)
    columns["low"] = np.where(below, bottom, low)
    return f"high or low widened by a last bit (rounding of adjusted prices) in {count:,} row{'s' * (count > 1)}"


def check_bars(time: IntArray, columns: dict[str, FloatArray], rows: Rows | None = None) -> None:
    """Raise `BarsError` for the first broken rule, with its rows; an open outside [low, high] is odd, not broken."""
    rows = rows or Rows()
    check_order(time, rows)
    high, low, close, volume = (columns[name] for name in ("high", "low", "close", "volume"))
    for name in PRICES:
        _refuse(
            ~np.isfinite(columns[name]),
            time,
            rows,
            f"{name} is missing, NaN or infinite",
            "fill in or remove these rows",
        )
        _refuse(columns[name] <= 0, time, rows, f"{name} is not above zero", "prices must be positive")
        extreme = (columns[name] < 1 / EXTREME) | (columns[name] > EXTREME)
        remedy = f"prices lie between {1 / EXTREME:g} and {EXTREME:g}, where equity stays a number"
        _refuse(extreme, time, rows, f"{name} is too small or too large", remedy)
    _refuse(high < low, time, rows, "high is below low", "look for swapped columns or a bad tick")
    _refuse(high < close, time, rows, "high is below close", "look for swapped columns or a bad tick")
    _refuse(low > close, time, rows, "low is above close", "look for swapped columns or a bad tick")
    no_trade = "fill it with 0 where there was no trade"
    _refuse(~np.isfinite(volume), time, rows, "volume is missing, NaN or infinite", no_trade)
    _refuse(volume < 0, time, rows, "volume is negative", "volumes are 0 or more")
    for name in OPTIONAL:
        if name in columns:
            bad = np.isinf(columns[name])
            _refuse(bad, time, rows, f"{name} is infinite", "leave it empty where it is unknown")
    if "funding_rate" in columns:
        bad = np.abs(columns["funding_rate"]) > 1.0
        _refuse(bad, time, rows, "funding_rate is above 100 %", "give fractions: 0.0001 is 0.01 %")


def check_order(time: IntArray, rows: Rows) -> None:
    """Refuse stamps that are doubled or not in order."""
    steps = np.diff(time)
    if not (steps <= 0).any():
        return
    row = int(np.flatnonzero(steps <= 0)[0]) + 1
    if steps[row - 1] == 0:
        count = int((steps == 0).sum())
        raise BarsError(
            f"duplicate timestamp {as_datetime(time[row])} at {rows.word}s {rows.number(row - 1)} and "
            f"{rows.number(row)} ({count:,} duplicates in all); {local_hour_hint(time[1:][steps == 0])}keep one row "
            "per bar."
        )
    newest = " (newest first)" if (steps < 0).all() else ""
    raise BarsError(
        f"timestamps are not increasing{newest}: {rows(row)} is {as_datetime(time[row])} after "
        f"{as_datetime(time[row - 1])}; sort the frame by its timestamp."
    )


def local_hour_hint(time: IntArray) -> str:
    """Advice if the only duplicates are hours that clocks show twice when summer time ends."""
    moments = [as_datetime(stamp) for stamp in time[:1_000]]
    autumn = all(moment.weekday() == 6 and moment.hour < 4 and moment.month in (3, 4, 9, 10, 11) for moment in moments)
    if not autumn or all(moment.hour == 0 for moment in moments):
        return ""
    return (
        "this is an hour that local clocks show twice when summer time ends: where the stamps are local times, give "
        f"their zone, {say('zone', 'America/New_York')}; else "
    )


def check_distance(time: IntArray, timeframe: str, length: int) -> None:
    """Refuse a timeframe that the stamps contradict: it annualises and resamples everything wrongly."""
    if len(time) < 3:
        return
    steps = np.diff(time)
    least = SHORTEST_MONTH * length if timeframe_months(timeframe) else length
    shorter = int((steps < least).sum())
    longest = LONGEST_MONTH * length
    many = shorter > max(1, 0.01 * len(steps))
    if not many and steps.min() <= longest:
        return
    inferred = infer_timeframe(time)
    if inferred == timeframe and many:
        first = as_datetime(time[int(np.argmax(steps < least)) + 1])
        raise BarsError(
            f"{shorter:,} of {len(time):,} bars open less than {timeframe} after the one before, the first at "
            f"{first:%Y-%m-%d %H:%M}; remove them, or give the timeframe that the others have."
        )
    if many or timeframe_us(inferred) > longest:  # sessions may have a common step only
        raise BarsError(
            f"timeframe {timeframe!r} does not fit: the bars are {inferred} apart; give that timeframe, or resample() "
            "the bars."
        )


def _refuse(bad: Any, time: IntArray, rows: Rows, what: str, remedy: str) -> None:
    if not bad.any():
        return
    found = np.flatnonzero(bad)
    named = ", ".join(f"{rows.number(row)} ({as_datetime(time[row]):%Y-%m-%d %H:%M})" for row in found[:5].tolist())
    more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""
    raise BarsError(f"{what} at {rows.word}{'s' if len(found) > 1 else ''} {named}{more}; {remedy}.")
