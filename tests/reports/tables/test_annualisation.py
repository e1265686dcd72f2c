"""Days per year, and their words, are those of the recorded calendar."""

from __future__ import annotations

import maestro as ms
from maestro.reports.tables.annualisation import days_per_year, described
from tests.reports.standin import stand_in


def test_days_per_year_and_their_words_are_those_of_the_recorded_calendar() -> None:
    run = stand_in(folds=3, bars=300)
    assert days_per_year(run) == 365.0  # not recorded: from the stamps
    assert described(run) == "8,760 bars a year"
    recorded = {"text": "1,764 bars a year: sessions of 7 bars on 252 trading days", "days_per_year": 252.0}
    run = run.but(manifest={**run.manifest, "calendar": recorded})
    assert (days_per_year(run), described(run)) == (252.0, recorded["text"])
    bt = ms.backtest(ms.synthetic_bars(200), "RSIStrategy")
    assert days_per_year(bt) == 365.0
