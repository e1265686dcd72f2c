"""Portfolios of walk-forwards: sums, an independent account, order, weights from training alone, limits, ruin."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.portfolio import run_shared, weights
from maestro.walkforward.portfolio.sleeves import align, training_returns

SETTINGS: dict[str, Any] = {"splitter": "calendar:6mo,2mo", "trials": 3, "executor": "serial",
                            "space": {"fast": (2, 6), "slow": (7, 20)}}  # fmt: skip


@pytest.fixture(scope="module")
def universe() -> ms.Universe:
    series = {name: ms.synthetic_bars(900, k, "1d") for k, name in enumerate("ABCD")}
    return ms.universe({**series, "D": series["D"].between("2020-05-01", "2022-03-01")})


@pytest.fixture(scope="module")
def many(universe: ms.Universe) -> ms.WalkForwards:
    return ms.walk_forward_many(universe, "EmaCrossStrategy", **SETTINGS)


def total(p: ms.Portfolio) -> float:
    return float(p.equity["equity"][-1]) - float(p.settings["cash"])


def test_sleeves_that_are_never_rebalanced_are_the_sum_of_their_runs(many: ms.WalkForwards) -> None:
    p = many.portfolio(rebalance="never", cash=400_000.0)
    stamps = p.equity["timestamp"]
    wanted = np.zeros(len(stamps))
    for wf in many.values():
        own = dict(zip(wf.equity["timestamp"], wf.equity["equity"], strict=True))
        last = 100_000.0
        for row, stamp in enumerate(stamps):
            last = own.get(stamp, last)
            wanted[row] += last
    np.testing.assert_allclose(p.equity["equity"].to_numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("rule", ["equal", "inverse_volatility"])
def test_rebalanced_capital_is_that_of_the_shared_account(many: ms.WalkForwards, rule: str) -> None:
    p = ms.portfolio(many, weights=rule)
    sleeves = align({cell.symbol: wf for cell, wf in many.items()}, shared_debt=False)
    before = np.concatenate((np.ones((1, 4)), sleeves.value[:-1]))
    targets = np.full(before.shape, np.nan)
    for (stamp,), rows in p.weights.group_by("timestamp", maintain_order=True):
        row = int(np.searchsorted(sleeves.time, pl.Series([stamp]).dt.timestamp("us")[0]))
        targets[row] = rows["weight"].to_numpy()
    assert (~np.isnan(targets[:, 0])).sum() > 8
    other = run_shared(before, sleeves.value, targets, cash=100_000.0)
    costless = p.contributions["moving_costs"].sum()
    assert costless == pytest.approx(0.0, abs=1e-9)  # all folds begin at the same dates, when every sleeve is flat
    np.testing.assert_allclose(p.equity["equity"].to_numpy(), other.equity, rtol=1e-12)


@pytest.mark.parametrize("rebalance", ["fold", "never", "1mo", "2w"])
@pytest.mark.parametrize("rule", ["equal", "risk_parity", "hrp", {"A": 0.5, "C": 0.3}])
def test_contributions_add_up_to_the_profit(many: ms.WalkForwards, rebalance: str, rule: Any) -> None:
    p = ms.portfolio(many, weights=rule, rebalance=rebalance)
    assert p.contributions["profit"].sum() == pytest.approx(total(p), abs=1e-9 * 100_000)
    steps = p.profit().drop("timestamp").sum_horizontal().to_numpy()
    np.testing.assert_allclose(steps.cumsum() + 100_000, p.equity["equity"].to_numpy(), atol=1e-6)
    assert p.contributions["moving_costs"].sum() >= 0
    assert p.weights.group_by("timestamp").agg(pl.col("weight").sum())["weight"].max() <= 1 + 1e-12


def test_the_order_of_the_sleeves_changes_nothing(many: ms.WalkForwards) -> None:
    runs = {cell.symbol: wf for cell, wf in many.items()}
    one = ms.portfolio(runs, weights="risk_parity", rebalance="1mo")
    two = ms.portfolio({name: runs[name] for name in "DBCA"}, weights="risk_parity", rebalance="1mo")
    assert one.equity.equals(two.equity)
    assert one.contributions.equals(two.contributions)


def test_weights_come_from_the_training_windows_of_that_moment(universe: ms.Universe, many: ms.WalkForwards) -> None:
    runs = {cell.symbol: wf for cell, wf in many.items()}
    p = ms.portfolio(runs, weights="inverse_volatility")
    stamp = p.weights["timestamp"].unique().sort()[4]
    at = int(pl.Series([stamp]).dt.timestamp("us")[0])
    names, returns = training_returns(runs, at)
    wanted = dict(zip(names, weights("inverse_volatility", returns, names), strict=True))
    found = dict(p.weights.filter(timestamp=stamp).select("sleeve", "weight").rows())
    assert {name: value for name, value in found.items() if value} == pytest.approx(wanted)
    # The same runs on bars that end where that fold begins its test: nothing later was used.
    short = ms.universe(dict(universe.items())).between(None, stamp.replace(tzinfo=None))
    early = ms.walk_forward_many(short, "EmaCrossStrategy", **SETTINGS).portfolio(weights="inverse_volatility")
    known = early.weights["timestamp"].unique()
    assert len(known) == 4
    assert early.weights.equals(p.weights.filter(pl.col("timestamp").is_in(known.implode())))


def test_moving_capital_of_open_positions_costs_what_trading_them_would(many: ms.WalkForwards) -> None:
    p = ms.portfolio(many, rebalance="1mo")
    sleeves = align({cell.symbol: wf for cell, wf in many.items()}, shared_debt=False)
    equity, capital, free = 100_000.0, np.zeros(4), 100_000.0
    wanted_costs, previous = 0.0, np.ones(4)
    moments = set(p.weights["timestamp"].dt.timestamp("us").to_list())
    for row, stamp in enumerate(sleeves.time):
        if int(stamp) in moments:
            active = sleeves.there[row]
            target = np.where(active, (free + capital.sum()) / active.sum(), 0.0)
            held = np.abs(sleeves.exposure[row - 1]) if row else np.zeros(4)
            cost = (0.0015 * np.abs(target - capital) * held).sum()
            free = free + capital.sum() - target.sum() - cost
            capital, wanted_costs = target, wanted_costs + cost
        capital = capital * sleeves.value[row] / previous
        previous = sleeves.value[row]
        equity = free + capital.sum()
    assert wanted_costs > 0
    assert p.contributions["moving_costs"].sum() == pytest.approx(wanted_costs)
    assert p.equity["equity"][-1] == pytest.approx(equity, rel=1e-12)


def test_limits_leave_the_rest_in_cash(many: ms.WalkForwards) -> None:
    p = ms.portfolio(many, max_weight=0.2, invested=0.9)
    assert p.weights["weight"].max() == 0.2
    first = p.equity["cash"][0]
    assert first >= 100_000 * (1 - 4 * 0.2) - 1e-6
    with pytest.raises(SettingsError, match=r"max_weight=2"):
        ms.portfolio(many, max_weight=2)


def test_an_optimiser_of_skfolio_is_taken_as_it_is(many: ms.WalkForwards) -> None:
    skfolio = pytest.importorskip("skfolio.optimization")
    own = ms.portfolio(many, weights="inverse_volatility")
    other = ms.portfolio(many, weights=skfolio.InverseVolatility())
    np.testing.assert_allclose(other.equity["equity"].to_numpy(), own.equity["equity"].to_numpy(), rtol=1e-9)


class Doubling(ms.Strategy):
    """Always short: is ruined where the price triples."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        n = np.zeros(len(bars), np.bool_)
        return ms.Signals(short_entry=~n)


def test_a_ruined_sleeve_ends_at_zero_or_leaves_its_debt() -> None:
    close = 100.0 * np.where(np.arange(160) < 100, 1.0 + 0.01 * np.sin(np.arange(160)), 3.0)
    frame = pl.DataFrame(
        {"timestamp": pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2020, 6, 8), "1d", eager=True),
         **dict.fromkeys(("open", "high", "low", "close"), close), "volume": np.ones(160)}
    )  # fmt: skip
    bars = ms.Bars.from_frame(frame, symbol="UP")
    bad = ms.walk_forward(bars, Doubling, splitter="rolling:1,1,1", trials=1, executor="serial", accept_defects=True)
    good = ms.walk_forward(ms.synthetic_bars(160, 1, "1d"), "EmaCrossStrategy", splitter="rolling:1,1,1", trials=2,
                           executor="serial", space={"fast": (2, 4), "slow": (5, 9)})  # fmt: skip
    assert bad.metrics["ruined"] == 1
    assert bad.equity["equity"][-1] < 0
    runs, split = {"bad": bad, "good": good}, {"bad": 0.25, "good": 0.75}
    isolated = ms.portfolio(runs, weights=split, rebalance="never")
    shared = ms.portfolio(runs, weights=split, rebalance="never", debt="shared")
    debt = -bad.equity["equity"][-1] / 4
    assert isolated.equity["equity"][-1] == pytest.approx(good.equity["equity"][-1] * 0.75)
    assert isolated.equity["equity"][-1] - shared.equity["equity"][-1] == pytest.approx(debt)
    assert any("is left out" in note for note in isolated.notes)
    assert any("the others pay its debt" in note for note in shared.notes)
    both = ms.portfolio(runs, rebalance="never", debt="shared")  # the debt is more than what is left
    assert any("The portfolio is ruined" in note for note in both.notes)
    assert both.equity["equity"][-1] == both.equity["equity"].min() < 0
    for p in (isolated, shared, both):
        assert p.contributions["profit"].sum() == pytest.approx(total(p))


def test_what_is_no_portfolio_is_refused(many: ms.WalkForwards, tmp_path: Any) -> None:
    wf = next(iter(many.values()))
    for call, message in (
        (lambda: ms.portfolio(7), "cannot be made of a int"),
        (lambda: ms.portfolio({}), "no sleeve"),
        (lambda: ms.portfolio({"A": 7}), "A is a int"),
        (lambda: ms.portfolio(many, weights="equl"), "equal"),
        (lambda: ms.portfolio(many, weights={"X": 1.0}), "'X'"),
        (lambda: ms.portfolio(many, rebalance="monthly"), "rebalance='monthly'"),
        (lambda: ms.portfolio(many, cash=0), "cash=0"),
        (lambda: ms.portfolio(many, invested=0), "invested=0"),
        (lambda: ms.portfolio(many, debt="none"), "debt='none'"),
    ):
        with pytest.raises(SettingsError, match=message):
            call()
    loaded = ms.WalkForward(wf.manifest, {n: getattr(wf, n) for n in ("folds", "trials", "equity", "trades")})
    with pytest.raises(SettingsError, match="A was loaded without its bars"):
        ms.portfolio({"A": loaded, "B": loaded}, weights="hrp")
    assert len(ms.portfolio({"A": loaded}).equity) == len(wf.equity)


class Own:
    """Weights by the mean return of the training windows: an object of the user with nothing but `fit`."""

    seen: tuple[int, ...] = ()

    def fit(self, returns: Any) -> Own:
        Own.seen = (*Own.seen, returns.shape[1])
        good = np.maximum(returns.mean(axis=0), 0.0) + 1e-9
        self.weights_ = good / good.sum()
        return self


def test_any_object_with_fit_chooses_the_weights(many: ms.WalkForwards) -> None:
    rule = Own()
    p = ms.portfolio(many, weights=rule)
    runs = {cell.symbol: wf for cell, wf in many.items()}
    stamp = p.weights["timestamp"].unique().sort()[3]
    names, returns = training_returns(runs, int(pl.Series([stamp]).dt.timestamp("us")[0]))
    wanted = dict(zip(names, Own().fit(returns).weights_, strict=True))
    found = dict(p.weights.filter(timestamp=stamp).select("sleeve", "weight").rows())
    assert {name: found[name] for name in names} == pytest.approx(wanted)
    assert not hasattr(rule, "weights_"), "the object itself stays as it was"
    assert p.settings["weights"] == "Own"
    assert len(Own.seen) >= len(p.weights["timestamp"].unique())


def test_a_search_for_weights_by_skfolio_runs_unchanged(many: ms.WalkForwards) -> None:
    optimization = pytest.importorskip("skfolio.optimization")
    p = ms.portfolio(many, weights=optimization.MeanRisk(max_weights=0.6))
    assert p.weights["weight"].max() <= 0.6 + 1e-6
    assert p.contributions["profit"].sum() == pytest.approx(total(p), abs=1e-9 * 100_000)
