"""The numbers behind the report's figures, against independent arithmetic."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from maestro._core.formatting import compact, listed, metric, moment, money, number, percent, plural, significant
from maestro.reports import costs_paid, gather, monthly_frame, movement
from maestro.reports.figures.downsampling import thin
from maestro.reports.page.tearsheet import daily_returns
from maestro.reports.tables.annualisation import days_per_year, described
from maestro.reports.tables.columns import Range, parameter_names, ranked_by, search_range, searched, start_value
from maestro.reports.tables.parameter_stability import edges
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


def test_costs_are_the_sums_of_the_trades_and_folds(wf: StandIn) -> None:
    paid = costs_paid(wf)
    rows = wf.trades.rows(named=True)
    assert paid.fees == pytest.approx(math.fsum(r["fees"] for r in rows))
    assert paid.funding == pytest.approx(math.fsum(r["funding"] for r in rows))
    assert paid.net == pytest.approx(math.fsum(r["pnl"] for r in rows))
    assert paid.slippage == pytest.approx(8 * 24 * 90.0)
    assert paid.gross == pytest.approx(paid.net + paid.fees + paid.funding + paid.slippage)
    assert paid.share == pytest.approx((paid.gross - paid.net) / paid.gross)


def test_slippage_that_is_not_recorded_is_not_a_zero(wf: StandIn) -> None:
    paid = costs_paid(wf.but(folds=wf.folds.drop("is_slippage", "oos_slippage")))
    assert math.isnan(paid.slippage)
    assert paid.total == pytest.approx(paid.fees + paid.funding)


def test_evidence_leaves_failed_folds_out(wf: StandIn) -> None:
    found = gather(wf)
    good = wf.folds.filter(pl.col("error").is_null())
    assert (found.folds, found.failed, found.evaluated) == (9, 1, 8)
    assert found.profitable == sum(r > 0 for r in good["oos_total_return"])
    growth = np.mean([math.log1p(a) for a in good["is_annual_return"]])  # windows of one length: equal weights
    assert found.is_annual == pytest.approx(math.expm1(growth))
    assert found.efficiency == pytest.approx(wf.metrics["annual_return"] / found.is_annual)
    assert found.trades == len(wf.trades)
    assert found.tried == (wf.trials["state"] == "complete").sum()
    assert found.benchmark_return == pytest.approx(wf.equity["benchmark"][-1] / 100_000 - 1)
    assert not found.overlapping


def test_rank_correlation_agrees_with_scipy(wf: StandIn) -> None:
    stats = pytest.importorskip("scipy.stats")
    good = wf.folds.filter(pl.col("error").is_null())
    expected = stats.spearmanr(good["is_sharpe_ratio"], good["oos_sharpe_ratio"]).statistic
    assert gather(wf).agreement == pytest.approx(expected)


def test_efficiency_is_no_number_where_nothing_was_earned_in_sample(wf: StandIn) -> None:
    lost = wf.but(folds=wf.folds.with_columns(is_annual_return=pl.lit(-0.1)))
    assert math.isnan(gather(lost).efficiency)


def test_overlapping_windows_are_seen(wf: StandIn) -> None:
    late = wf.folds.with_columns(test_end=pl.col("test_end") + timedelta(hours=5))
    assert gather(wf.but(folds=late)).overlapping


def test_parameters_are_told_from_metrics_and_windows(wf: StandIn) -> None:
    assert parameter_names(wf.folds) == ["fast", "slow", "band", "exit"]
    assert searched(wf) == ["fast", "slow", "band", "exit"]
    fixed = wf.but(
        spec={
            **wf.spec,
            "space": {"fixed": {"slow": 60}, "search": {"fast": wf.spec["space"]["search"]["fast"]}},
            "params": {"slow": 60},
        }
    )
    assert searched(fixed) == ["fast"]


def test_search_range_comes_from_the_spec_or_the_trials(wf: StandIn) -> None:
    assert search_range(wf, "band") == Range(0.001, 0.1, None, True)
    assert search_range(wf, "exit").options == ("cross", "trail")
    unsaid = search_range(wf.but(spec={**wf.spec, "space": {}}), "fast")
    assert (unsaid.low, unsaid.high, unsaid.stated) == (wf.trials["fast"].min(), wf.trials["fast"].max(), False)


def test_movement_is_one_for_picks_at_random_and_zero_for_none() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    assert movement(pl.Series(rng.uniform(3, 9, n)), Range(3, 9)) == pytest.approx(1.0, abs=0.02)
    assert movement(pl.Series(rng.integers(5, 12, n)), Range(5, 11, 1)) == pytest.approx(1.0, abs=0.02)
    assert movement(pl.Series(np.exp(rng.uniform(-3, 2, n))), Range(math.exp(-3), math.exp(2), None, True)) == (
        pytest.approx(1.0, abs=0.02)
    )
    assert movement(pl.Series(rng.choice(["a", "b", "c"], n)), Range(options=("a", "b", "c"))) == (
        pytest.approx(1.0, abs=0.02)
    )
    assert movement(pl.Series([10.0, 30.0, 20.0]), Range(0, 60)) == pytest.approx(0.75)
    assert movement(pl.Series([7, 7, 7, 7]), Range(5, 11, 1)) == 0.0
    assert math.isnan(movement(pl.Series([7, 8]), Range(5, 11, 1)))
    assert math.isnan(movement(pl.Series([True, True, True]), Range(options=(True,))))


def test_choices_at_a_bound_are_counted() -> None:
    assert edges(pl.Series([5, 6, 11, 8]), Range(5, 11, 1)) == 2
    assert edges(pl.Series([5, 6, 11, 8]), Range(5, 11, 1, stated=False)) == 0


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


def _frame(step: timedelta, n: int) -> pl.DataFrame:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    return pl.DataFrame({"timestamp": [start + step * i for i in range(n)]})


def test_days_a_year_are_365_or_the_markets_own() -> None:
    assert days_per_year(8_760, "1h", _frame(timedelta(hours=1), 100)) == 365
    assert days_per_year(252, "1d", _frame(timedelta(days=1), 100)) == 252
    start = datetime(2022, 1, 3, tzinfo=UTC)  # an exchange with seven hourly bars a day
    stock = pl.DataFrame({"timestamp": [start + timedelta(days=d, hours=9 + h) for d in range(30) for h in range(7)]})
    assert days_per_year(252 * 7, "1h", stock) == 252
    assert math.isnan(days_per_year(math.nan, "1h", stock))
    assert described(8_760, "1h", stock) == "8,760 bars a year (365 days, the calendar's)"
    assert described(252, "1d", stock) == "252 bars a year (252 days, the market's own number)"


def test_ranking_metric_is_read_from_the_spec() -> None:
    assert ranked_by({"selection": ["calmar_ratio", "vwr"]}) == "calmar_ratio"
    assert ranked_by({"selection": {"metrics": ["vwr"]}}) == "vwr"
    assert ranked_by({"selection": {"metrics": ["-volatility"]}}) == "volatility"
    assert ranked_by({}) == "sharpe_ratio"
