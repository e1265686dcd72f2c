"""The numbers behind the report's figures, against independent arithmetic."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

import maestro as ms
from maestro._core.formatting import compact, listed, metric, moment, money, number, percent, plural, significant
from maestro.reports import monthly_frame
from maestro.reports.figures.downsampling import thin
from maestro.reports.page.tearsheet import daily_returns
from maestro.reports.tables.annualisation import days_per_year, described
from maestro.walkforward.columns import start_value
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))


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


def test_daily_returns_keep_the_total(wf: StandIn) -> None:
    days = daily_returns(wf.equity, 100_000.0)
    assert len(days) == wf.equity["timestamp"].dt.date().n_unique()
    assert float((days["return"] + 1.0).product()) == pytest.approx(wf.equity["equity"][-1] / 100_000.0, rel=1e-12)
    ratio = wf.equity["benchmark"][-1] / 100_000.0
    assert float((days["benchmark"] + 1.0).product()) == pytest.approx(ratio, rel=1e-12), "the first bar too"


def test_the_value_at_the_start_is_known_from_the_result_or_its_first_return(wf: StandIn) -> None:
    assert start_value(wf) == 100_000.0
    assert start_value(wf.equity) == pytest.approx(100_000.0, rel=1e-12)
    assert math.isnan(start_value(wf.equity.drop("return")))
    assert math.isnan(start_value(wf.equity.clear()))
    shown = monthly_frame(wf.equity)["benchmark"].to_numpy()
    assert shown == pytest.approx(monthly_frame(wf)["benchmark"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize("n", [10, 2_000, 2_001, 57_000])
def test_thinning_keeps_peaks_and_troughs(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n).cumsum(), rng.normal(size=n).cumsum()
    a[n // 3], b[n // 2] = 1e6, -1e6
    rows = thin(a, b)
    assert len(rows) <= 2_000
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert (a[rows].max(), a[rows].min(), b[rows].max(), b[rows].min()) == (a.max(), a.min(), b.max(), b.min())


def test_thinning_passes_over_nan() -> None:
    values = np.full(10_000, np.nan)
    values[7_777] = 3.0
    assert 7_777 in thin(values)


def test_numbers_are_written_for_people() -> None:
    assert number(-1234.5) == "−1,234.50"
    assert number(-0.001) == "0.00"
    assert number(math.nan) == number(None) == "–"
    assert percent(0.1234) == "12.3\N{NARROW NO-BREAK SPACE}%"
    assert percent(0.1234, sign=True).startswith("+")
    assert percent(123.0) == "12,300\N{NARROW NO-BREAK SPACE}%"
    assert money(999.5) == "999.50"
    assert money(-12_345.6, sign=True) == "−12,346"
    assert (compact(1_435_040), compact(-254_880), compact(799.99)) == ("1.44M", "−255k", "800")
    assert significant(0.00012345678) == "0.00012346"
    assert significant(42_350) == "42,350"
    assert (significant("trail"), significant(True), significant(None)) == ("trail", "True", "–")
    assert (metric("max_drawdown", -0.5), metric("num_trades", 12.0)) == ("−50.0\N{NARROW NO-BREAK SPACE}%", "12")
    assert (plural(1, "fold"), plural(1_200, "fold")) == ("1 fold", "1,200 folds")
    assert (listed(["a"]), listed(["a", "b", "c"]), listed(list("abcd"), 2)) == ("a", "a, b and c", "a, b and 2 more")
    assert moment(datetime(2024, 1, 31, tzinfo=UTC)) == "2024-01-31"
    assert moment(datetime(2024, 1, 31, 5, 30, tzinfo=UTC)) == "2024-01-31 05:30"


def test_days_per_year_and_their_words_are_those_of_the_recorded_calendar() -> None:
    run = stand_in(folds=3, bars=300)
    assert days_per_year(run) == 365.0  # not recorded: from the stamps
    assert described(run) == "8,760 bars a year"
    recorded = {"text": "1,764 bars a year: sessions of 7 bars on 252 trading days", "days_per_year": 252.0}
    run = run.but(manifest={**run.manifest, "calendar": recorded})
    assert (days_per_year(run), described(run)) == (252.0, recorded["text"])
    bt = ms.backtest(ms.synthetic_bars(200), "RSIStrategy")
    assert days_per_year(bt) == 365.0
