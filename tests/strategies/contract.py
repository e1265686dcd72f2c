"""What each built-in strategy is held to: it decides what its written rule says, on real bars and on random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.strategies import STRATEGIES
from tests.strategies import markets
from tests.strategies.plain_rules import expected

SIDES = ("long_entry", "long_exit", "short_entry", "short_exit")
SERIES: dict[str, Callable[[], Bars]] = {
    "FundingRateArbitrage": markets.perpetual,
    "BasisTradingStrategy": markets.with_basis,
    "OpenInterestDivergence": markets.daily_interest,
}
"""Real bars with the series that a strategy needs; the others run on plain ones."""


def real(name: str) -> Bars:
    return SERIES.get(name, markets.bitfinex)()


def check(strategy: Any, bars: Bars) -> ms.Signals:
    """Compare the signals of `strategy` with the plain rule; a difference names strategy, bars and bar."""
    name = strategy.name
    wanted = expected(name, bars, strategy.params)
    found = strategy.signals(bars)
    for side in SIDES:
        different = np.flatnonzero(getattr(found, side) != np.array(wanted[side]))
        assert not different.size, f"{strategy!r} on {bars.name}: {side} differs at bars {different[:10].tolist()}"
    if "trail" in wanted:
        np.testing.assert_allclose(found.trail, wanted["trail"], rtol=1e-12)
    if "long_level" in wanted:
        np.testing.assert_array_equal(found.bracket.long_level, wanted["long_level"])
        np.testing.assert_array_equal(found.bracket.short_level, wanted["short_level"])
    if "columns" in wanted:
        np.testing.assert_allclose(found.columns, wanted["columns"], rtol=1e-12)
    return found


def sample(name: str, seed: int) -> dict[str, Any]:
    """Parameters drawn from the search space, feasible by the constraints."""
    rng = np.random.default_rng(seed)
    cls = STRATEGIES[name]
    fixed = {"proxy": bool(rng.random() < 0.5)} if "proxy" in cls.declared else {}
    for _ in range(1000):
        drawn = dict(fixed)
        for key, p in cls.parameters(fixed).items():
            if p.search:
                low, high = p.low, p.high
                drawn[key] = int(rng.integers(low, high + 1)) if p.kind == "int" else float(rng.uniform(low, high))
        try:
            return ms.strategy(name, **drawn).params
        except ms.MaestroError:
            continue
    raise AssertionError(f"no feasible parameters of {name} in 1,000 draws")


def family(module: str) -> list[str]:
    """Names of the strategies that a module of `maestro.strategies.builtin` defines."""
    return [name for name in ms.strategies() if STRATEGIES[name].__module__ == f"maestro.strategies.builtin.{module}"]


class RuleContract:
    """Tests of the strategies of one family; `pytest_generate_tests` in conftest runs them for each of its `names`."""

    names: ClassVar[list[str]] = []

    def test_follows_its_rule_on_real_bars(self, name: str) -> None:
        check(ms.strategy(name), real(name))

    def test_follows_its_rule_on_a_perpetual(self, name: str) -> None:
        strategy = ms.strategy(name)
        if {"open_interest", "basis"} & set(strategy.requires):
            strategy = ms.strategy(name, proxy=True)
        check(strategy, markets.perpetual())

    @pytest.mark.parametrize("seed", range(4))
    def test_follows_its_rule_on_random_bars_with_random_parameters(self, name: str, seed: int) -> None:
        tick = 0.125 if seed % 2 else None
        bars = markets.random_market(seed, tick=tick)
        for k in range(3):
            check(ms.strategy(name, **sample(name, 10 * seed + k)), bars)

    def test_trades_on_real_bars_with_its_defaults(self, name: str) -> None:
        backtest = ms.backtest(real(name), name)
        assert backtest.metrics["num_trades"] > 0
        assert np.isfinite(backtest.metrics["final_equity"])

    @pytest.mark.parametrize("price", [100.0, 0.1, 1234.567])
    def test_nothing_happens_where_nothing_moves(self, name: str, price: float) -> None:
        n = 500
        flat = np.full(n, price)
        columns = {
            "time": np.arange(n, dtype=np.int64) * markets.HOUR_US,
            **dict.fromkeys(("open", "high", "low", "close"), flat), "volume": np.ones(n),
            "funding_rate": np.full(n, 0.00001), "open_interest": np.ones(n), "basis": np.zeros(n),
        }  # fmt: skip
        bars = Bars(columns, provider="", symbol="FLAT", timeframe="1h", periods_per_year=8760.0)
        for given in ({}, {"proxy": True}) if "proxy" in ms.strategy(name).params else ({},):
            strategy = ms.strategy(name, **given)
            signals = check(strategy, bars)
            if name != "GridTradingStrategy":  # it may lay its grid at any close, but has no bands to lay it in
                assert not signals.long_entry.any()
                assert not signals.short_entry.any()
            assert ms.backtest(bars, strategy).metrics["num_trades"] == 0

    def test_bars_without_volume(self, name: str) -> None:
        bars = markets.random_market(7)
        columns = {
            key: getattr(bars, key) for key in Bars.__slots__ if isinstance(getattr(bars, key, None), np.ndarray)
        }
        columns["volume"] = np.zeros(len(bars))
        check(ms.strategy(name), Bars(columns, provider="", symbol="DRY", timeframe="1h", periods_per_year=8760.0))
