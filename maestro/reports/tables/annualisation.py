"""How many days a year the run annualises by: 365, or the market's own number."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from maestro._core.formatting import number
from maestro.data.timeframes import DAY_US, YEAR_US, timeframe_us


def days_per_year(periods_per_year: float, timeframe: str, frame: pl.DataFrame) -> float:
    """Days with bars in a year, of a run that annualises with `periods_per_year` bars.

    365 where the bars run round the clock; else `periods_per_year` over the bars that a day of `frame` has on
    average. Bars of a day or longer: periods a year as they are. NaN where it cannot be told.
    """
    if not periods_per_year > 0:
        return math.nan
    length = timeframe_us(timeframe) if timeframe else None
    if length is not None and length >= DAY_US:
        return periods_per_year
    if length is not None and math.isclose(periods_per_year * length, YEAR_US, rel_tol=1e-9):
        return 365.0
    days: Any = frame["timestamp"].dt.date().n_unique() if len(frame) else 0
    return float(round(periods_per_year * days / len(frame))) if days else math.nan


def described(periods_per_year: float, timeframe: str, frame: pl.DataFrame) -> str:
    """Annualisation in words: ``8,760 bars a year (365 days)``."""
    if not periods_per_year > 0:
        return "not recorded"
    bars = f"{number(periods_per_year, 0 if periods_per_year == round(periods_per_year) else 2)} bars a year"
    days = days_per_year(periods_per_year, timeframe, frame)
    if timeframe and timeframe_us(timeframe) > DAY_US:
        return bars
    whose = "the calendar's" if days == 365 else "the market's own number"
    return f"{bars} ({number(days, 0)} days, {whose})" if days > 0 else bars
