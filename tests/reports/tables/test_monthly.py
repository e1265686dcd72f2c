"""Monthly returns compound the bars of each month."""

from __future__ import annotations

import pytest

from maestro import reports
from maestro.reports import monthly_frame
from tests.reports.standin import StandIn


def test_monthly_returns_compound_the_bars_of_each_month(wf: StandIn) -> None:
    months = monthly_frame(wf)
    growth: dict[tuple[int, int], float] = {}
    held: dict[tuple[int, int], float] = {}
    before = 100_000.0
    for stamp, ret, benchmark in wf.equity.select("timestamp", "return", "benchmark").iter_rows():
        key = (stamp.year, stamp.month)
        growth[key] = growth.get(key, 1.0) * (1.0 + ret)
        held[key] = held.get(key, 1.0) * benchmark / before
        before = benchmark
    assert [(y, m) for y, m in months.select("year", "month").iter_rows()] == sorted(growth)
    for row in months.iter_rows(named=True):
        key = (row["year"], row["month"])
        assert row["return"] == pytest.approx(growth[key] - 1.0, abs=1e-12)
        assert row["benchmark"] == pytest.approx(held[key] - 1.0, abs=1e-12)
    assert months["bars"].sum() == len(wf.equity)
    # All months together are the whole: nothing is lost at their borders.
    total = wf.equity["equity"][-1] / 100_000.0
    assert float((months["return"] + 1.0).product()) == pytest.approx(total, rel=1e-12)


def test_heat_map_shows_the_years_return(wf: StandIn) -> None:
    total = wf.equity["equity"][-1] / 100_000 - 1
    assert f"{abs(100 * total):.1f}" in reports.monthly_returns(wf)
