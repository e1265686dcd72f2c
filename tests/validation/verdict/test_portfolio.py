"""The verdict of a portfolio: the same rule, checks on its equity, what is not applicable, and all looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation import conclude_from, permutation_test_portfolio
from maestro.validation.robustness.break_even import multiplied
from maestro.validation.robustness.choices import choices_of
from maestro.validation.verdict.calibration import planted_bars
from maestro.validation.verdict.portfolio import changed_run, preliminary_portfolio_verdict
from maestro.validation.verdict.portfolio_evidence import gather_portfolio
from maestro.validation.verdict.result import Verdict
from tests.support.rules import NeverTrades

SETTINGS: dict[str, Any] = {"splitter": "calendar:12mo,4mo", "trials": 5, "executor": "serial"}


class Long(ms.Strategy):
    """Always long."""

    n = ms.Int(5, 2, 20)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(bars.close > 0)


@pytest.fixture(scope="module")
def many() -> ms.WalkForwards:
    base = ms.load("sample:AAPL")[:1_500]
    series = {name: planted_bars(base, 0.5, seed=k) for k, name in enumerate("ABC")}
    return ms.walk_forward_many(series, "EmaCrossStrategy", **SETTINGS)


@pytest.fixture(scope="module")
def p(many: ms.WalkForwards) -> ms.Portfolio:
    return many.portfolio()


@pytest.fixture(scope="module")
def verdict(p: ms.Portfolio) -> Verdict:
    return ms.verdict(p, workers=1)


def test_all_checks_are_there_and_the_rule_is_the_same(p: ms.Portfolio, verdict: Verdict) -> None:
    assert p.verdict is verdict
    assert verdict.conclusion == conclude_from(verdict.checks)
    assert [check.key for check in verdict.checks if check.outcome == "not done"] == ["pbo"]
    assert "Not applicable: a portfolio" in verdict["pbo"].meaning
    assert verdict.answers["performance"] == "yes"
    assert verdict["permutation"].value == 0.05
    assert "the same in all" in verdict["permutation"].meaning
    assert "time its markets" in verdict["spa"].meaning
    assert verdict.run == p.id
    assert "portfolio of 3 sleeves (EmaCrossStrategy)" in verdict.strategy
    assert Verdict.from_json(verdict.to_json(), p.id).conclusion == verdict.conclusion


def test_figures_are_those_of_the_portfolio(p: ms.Portfolio, verdict: Verdict) -> None:
    assert verdict["benchmark"].value == p.metrics["sharpe_ratio"]
    assert verdict["benchmark"].threshold == p.benchmark["sharpe_ratio"]
    assert verdict["sharpe"].details["annual"] == pytest.approx(p.metrics["sharpe_ratio"], rel=1e-9)
    evidence = gather_portfolio(p)
    assert evidence.trades == sum(len(wf.trades.filter(pl.col("exit_reason") != "open")) for wf in p.runs.values())
    first = next(iter(p.runs.values()))
    starts = first.folds["test_start"]
    equity = dict(zip(p.equity["timestamp"], p.equity["equity"].shift(1, fill_value=1e5), strict=True))
    at = np.array([*(equity[stamp] for stamp in starts), p.equity["equity"][-1]])
    assert (evidence.folds, evidence.profitable) == (len(starts), int((np.diff(at) > 0).sum()))


def test_one_sleeve_is_judged_as_its_walk_forward(many: ms.WalkForwards) -> None:
    wf = many.run("A")
    one = ms.verdict(ms.portfolio({"A": wf}), permutations=3, workers=1)
    own = ms.verdict(wf, permutations=3, workers=1, save=False)
    for key in ("trades", "folds", "sharpe", "interval", "benchmark", "efficiency", "consistency", "deflated", "costs",
                "shifts", "permutation", "lookahead"):  # fmt: skip
        assert one[key].outcome == own[key].outcome, key
        if own[key].value is None:
            assert one[key].value is None, key
        else:
            assert one[key].value == pytest.approx(own[key].value, rel=1e-9), key


def test_higher_costs_and_shifts_are_those_of_changed_runs(p: ms.Portfolio, verdict: Verdict) -> None:
    assert verdict["costs"].outcome == "pass"
    assert set(verdict["shifts"].details["kept"]) == {"fast lower", "fast higher", "slow lower", "slow higher"}


def test_the_runs_own_conditions_give_the_same_portfolio(many: ms.WalkForwards) -> None:
    runs = {cell.symbol: wf for cell, wf in many.items()}
    again = {name: changed_run(wf, choices_of(wf).stitched()) for name, wf in runs.items()}
    moved = {"rebalance": "2w", "max_gross": 0.9, "maintenance": 0.05}
    assert ms.portfolio(again, **moved).equity.equals(ms.portfolio(runs, **moved).equity)


def test_capital_is_moved_with_the_positions_that_other_costs_give() -> None:
    """Triple costs leave less to buy: the portfolio is that of walk-forwards with triple costs, to the bit."""
    usual = ms.Costs(fee=0.001, slippage=0.0005)
    one = {**SETTINGS, "trials": 1}  # the same choice at any costs
    dear, wanted = {}, {}
    for name in ("AAPL", "IBM"):
        bars = ms.load(f"sample:{name}")[:1_200]
        wf = ms.walk_forward(bars, "EmaCrossStrategy", costs=usual, **one)
        costs = multiplied(usual, 3.0)
        dear[name] = changed_run(wf, choices_of(wf).stitched(costs=costs), costs.to_dict())
        wanted[name] = ms.walk_forward(bars, "EmaCrossStrategy", costs=costs, **one)
        assert dear[name].equity["position"].equals(wanted[name].equity["position"])
        assert not dear[name].equity["position"].equals(wf.equity["position"])
    for given in ({"rebalance": "2w"}, {"rebalance": "2w", "max_gross": 0.4}, {"maintenance": 0.9}):
        assert ms.portfolio(dear, **given).equity.equals(ms.portfolio(wanted, **given).equity)


def test_moved_capital_by_hand() -> None:
    """A price of 100 that never moves, a rule that is always long, and one that never trades; costs times three.

    The long sleeve holds its whole capital in units, whatever it paid to buy them: moving an amount costs 3 % of it.
    """
    stamps = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2020, 9, 30), "1d", eager=True)
    frame = pl.DataFrame({"timestamp": stamps, **dict.fromkeys(("open", "high", "low", "close"), 100.0), "volume": 1.0})
    bars = ms.Bars.from_frame(frame, symbol="FLAT")
    settings: dict[str, Any] = {"splitter": "calendar:3mo,6mo", "trials": 1, "executor": "serial",
                                "accept_defects": True, "select": "total_return",
                                "costs": ms.Costs(fee=0.01, slippage=0.0)}  # fmt: skip
    runs = {"long": ms.walk_forward(bars, Long, **settings), "flat": ms.walk_forward(bars, NeverTrades, **settings)}
    costs = multiplied(ms.Costs(fee=0.01, slippage=0.0), 3.0)
    dear = {name: changed_run(wf, choices_of(wf).stitched(costs=costs), costs.to_dict()) for name, wf in runs.items()}
    p = ms.portfolio(dear, rebalance="1mo")
    long, flat = 50_000 / 1.03, 50_000.0  # April: all of the first half is spent, 3 % fee included
    for _ in range(5):  # May to September: to one half each, for 3 % of what leaves or enters the long sleeve
        total = long + flat
        fee = 0.03 * abs(total / 2 - long)
        long, flat = total / 2, total / 2 - fee
    assert p.equity["equity"][-1] == pytest.approx(long * 0.97 + flat, rel=1e-12)  # sold at the last close


def test_preliminary_and_taken_over(many: ms.WalkForwards, p: ms.Portfolio) -> None:
    fresh = many.portfolio(weights="inverse_volatility")
    assert fresh.verdict.preliminary
    assert fresh.verdict.changes[-1].endswith("ms.verdict(portfolio).")
    assert preliminary_portfolio_verdict(fresh).conclusion != "robust"
    made = permutation_test_portfolio(p, repetitions=2, workers=1)
    with pytest.raises(SettingsError, match="belongs to another portfolio"):
        ms.verdict(fresh, permutations=made)
    with pytest.raises(SettingsError, match="leave bars out"):
        ms.verdict(p, ms.load("sample:AAPL"))
    with pytest.raises(SettingsError, match="a int has no verdict"):
        ms.verdict(7)  # type: ignore[arg-type]


def test_without_bars_checks_are_reported_as_not_done(many: ms.WalkForwards) -> None:
    runs = {}
    for cell, wf in many.items():
        runs[cell.symbol] = ms.WalkForward(
            {**wf.manifest, "python": "bars = ..."},
            {n: getattr(wf, n) for n in ("folds", "trials", "equity", "trades")},
        )
    found = ms.verdict(ms.portfolio(runs))
    assert {c.key for c in found.checks if c.outcome == "not done"} == {
        "pbo", "lookahead", "permutation", "costs", "shifts"
    }  # fmt: skip
    assert "A: run" in found["lookahead"].meaning
    assert found.conclusion != "robust"
