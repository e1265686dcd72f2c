"""The rules in backtrader: equal to the compiled ones, independent of them; its broker with default settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.engine.engines import run_engine
from maestro.strategies import STRATEGIES
from maestro.validation.parity.compare import Agreement, compare
from tests.engine.libraries import library

library("backtrader", "legacy")


@pytest.mark.parametrize("name", ["FundingRateArbitrage", "BasisTradingStrategy", "OpenInterestDivergence"])
def test_proxies(name: str, made_up: Bars) -> None:
    rule = ms.strategy(name, proxy=True)
    assert compare(ms.backtest(made_up, rule), ms.backtest(made_up, rule, engine="backtrader")).exact


PARAMETERS: dict[str, dict[str, Any]] = {
    "EmaCrossStrategy": {"fast": 5, "slow": 20},
    "MaCrossStrategy": {"fast": 20, "slow": 50, "confirm": 3},
    "MACDStrategyX": {"trail": 0.03, "sma_period": 15, "dir_period": 5},
    "FernandoStrategy": {"bb_period": 10, "bb_std": 1.5, "vli_slow": 50, "stop_loss": 0.035},
    "StochRSIStrategy": {"rsi_period": 7, "stoch_period": 9, "k": 2, "d": 5},
    "GridTradingStrategy": {"grid_size": 0.005, "num_grids": 8, "num_std": 3.0},
    "TrendFollowingATR": {"trend_period": 20, "atr_period": 7, "atr_mult": 1.0},
    "VolatilityBreakoutStrategy": {"atr_period": 10, "atr_mult": 1.0, "squeeze": 1.0},
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_other_parameters_on_real_bars(name: str) -> None:
    bars = ms.load_sample("MSFT")[-900:]
    settings: Any = {"params": PARAMETERS[name], "sizing": "percent:0.8"}
    ours, theirs = ms.backtest(bars, name, **settings), ms.backtest(bars, name, engine="v1", **settings)
    assert ours.metrics["num_trades"] > 5
    agreement = compare(ours, theirs)
    assert agreement.exact, agreement


@pytest.mark.parametrize("name", ["EmaCrossStrategy", "FernandoStrategy", "GridTradingStrategy", "TrendFollowingATR"])
def test_the_compiled_signals_are_not_read(name: str, made_up: Bars, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ms.backtest(made_up, name, engine="backtrader")
    nonsense = ms.Signals(np.ones(len(made_up), bool), stop=1e-6)
    monkeypatch.setattr(STRATEGIES[name], "signals", lambda self, bars: nonsense)
    after = ms.backtest(made_up, name, engine="backtrader")
    assert after.equity.equals(before.equity)
    assert after.orders.equals(before.orders)
    assert ms.backtest(made_up, name).metrics["final_equity"] != before.metrics["final_equity"]


def test_a_user_defined_strategy_is_traded_by_its_signals_with_a_note() -> None:
    class EmaCrossStrategy(ms.Strategy):
        """Of the name of a built-in one, which it is not."""

        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals.flip(bars.close > bars.open, bars.close < bars.open, stop=0.02)

    bars = ms.load_sample("IBM")[:300]
    ours, theirs = ms.backtest(bars, EmaCrossStrategy), ms.backtest(bars, EmaCrossStrategy, engine="backtrader")
    assert compare(ours, theirs).exact
    assert any("traded the given signals" in note for note in theirs.notes)


def test_every_built_in_strategy_has_a_rule_of_its_own() -> None:
    from maestro.engine.backtrader.running import RULES

    assert list(RULES) == ms.strategies()
    assert len(set(RULES.values())) == len(RULES)
    for name, rule in RULES.items():
        assert rule.warmup(ms.strategy(name).params) == ms.strategy(name).warmup(ms.strategy(name).params), name


# -- as it comes ------------------------------------------------------------------------------


def with_ways(bars: Bars, name: str, *ways: str) -> Agreement:
    """Agreement of backtrader with these of its ways with backtrader without them."""
    rule = ms.strategy(name)
    settings: Any = {
        "costs": ms.Costs(), "sizing": ms.Sizing.percent(1.0), "cash": 100_000.0, "fill": "next_open",
    }  # fmt: skip
    signals = rule.evaluate(bars)
    made = run_engine("backtrader", bars, rule, signals, **settings)
    return compare(made, run_engine("backtrader", bars, rule, signals, plain=frozenset(ways), **settings))


@pytest.mark.parametrize(
    ("way", "changed", "unchanged"),
    [
        ("brackets", "TrendFollowingATR", "EmaCrossStrategy"),
        ("trail", "TrendFollowingATR", "FernandoStrategy"),
        ("slippage", "TrendFollowingATR", None),
        ("limits", "GridTradingStrategy", "TrendFollowingATR"),
        ("funding", "TrendFollowingATR", None),
    ],
)
def test_each_way_of_backtrader_changes_only_its_own_behaviour(
    way: str, changed: str, unchanged: str | None, made_up: Bars
) -> None:
    assert not with_ways(made_up, changed, way).nearly
    if unchanged:
        assert with_ways(made_up, unchanged, way).nearly
