"""The annualisation of a result: the calendar of its bars."""

from __future__ import annotations

from typing import Any

from maestro._core.formatting import number
from maestro.bars.calendar import given_calendar, infer_calendar


def days_per_year(result: Any) -> float:
    """Days with bars per year by which daily returns of a walk-forward or a backtest are annualised.

    A run of an earlier version does not record them; they follow from the stamps of its equity and its bars per year.
    """
    if not hasattr(result, "spec"):
        return float(result.bars.calendar.days_per_year)
    recorded = result.manifest.get("calendar", {}).get("days_per_year")
    if recorded is not None:
        return float(recorded)
    stamps = result.equity["timestamp"].to_physical().to_numpy()
    inferred = infer_calendar(stamps, result.spec.bars.timeframe)
    return float(given_calendar(result.spec.periods_per_year, inferred).days_per_year)


def described(wf: Any) -> str:
    """Annualisation in words: ``1,764 bars a year: sessions of 7 bars on 252 trading days``."""
    periods = float(wf.spec.periods_per_year)
    return wf.calendar or f"{number(periods, 0 if periods == round(periods) else 2)} bars a year"
