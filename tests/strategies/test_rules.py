"""Every strategy decides what its written rule says, bar by bar, on real bars and on random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.strategies import STRATEGIES
from tests.strategies import markets
from tests.strategies.plain_rules import RULES, WARMUP, expected

SIDES = ("long_entry", "long_exit", "short_entry", "short_exit")
NAMES = ms.strategies()
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


def test_the_references_are_complete() -> None:
    assert set(RULES) == set(WARMUP) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_follows_its_rule_on_real_bars(name: str) -> None:
    check(ms.strategy(name), real(name))


@pytest.mark.parametrize("name", NAMES)
def test_follows_its_rule_on_a_perpetual(name: str) -> None:
    strategy = ms.strategy(name)
    if {"open_interest", "basis"} & set(strategy.requires):
        strategy = ms.strategy(name, proxy=True)
    check(strategy, markets.perpetual())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_follows_its_rule_on_random_bars_with_random_parameters(name: str, seed: int) -> None:
    tick = 0.125 if seed % 2 else None
    bars = markets.random_market(seed, tick=tick)
    for k in range(3):
        check(ms.strategy(name, **sample(name, 10 * seed + k)), bars)


@pytest.mark.parametrize("name", NAMES)
def test_trades_on_real_bars_with_its_defaults(name: str) -> None:
    backtest = ms.backtest(real(name), name)
    assert backtest.metrics["num_trades"] > 0
    assert np.isfinite(backtest.metrics["final_equity"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("price", [100.0, 0.1, 1234.567])
def test_nothing_happens_where_nothing_moves(name: str, price: float) -> None:
    n = 500
    flat = np.full(n, price)
    columns = {
        "time": np.arange(n, dtype=np.int64) * markets.HOUR_US, **dict.fromkeys(("open", "high", "low", "close"), flat),
        "volume": np.ones(n), "funding_rate": np.full(n, 0.00001), "open_interest": np.ones(n), "basis": np.zeros(n),
    }  # fmt: skip
    bars = Bars(columns, provider="", symbol="FLAT", timeframe="1h", periods_per_year=8760.0)
    for given in ({}, {"proxy": True}) if "proxy" in ms.strategy(name).params else ({},):
        strategy = ms.strategy(name, **given)
        signals = check(strategy, bars)
        if name != "GridTradingStrategy":  # it may lay its grid at any close, but has no bands to lay it in
            assert not signals.long_entry.any()
            assert not signals.short_entry.any()
        assert ms.backtest(bars, strategy).metrics["num_trades"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_bars_without_volume(name: str) -> None:
    bars = markets.random_market(7)
    columns = {key: getattr(bars, key) for key in Bars.__slots__ if isinstance(getattr(bars, key, None), np.ndarray)}
    columns["volume"] = np.zeros(len(bars))
    check(ms.strategy(name), Bars(columns, provider="", symbol="DRY", timeframe="1h", periods_per_year=8760.0))


def test_fernando_hands_over_its_bracket_and_ladder() -> None:
    bracket = ms.strategy("FernandoStrategy", stop_loss=0.04).signals(markets.random_market(1)).bracket
    assert bracket is not None
    assert (bracket.long_stop, bracket.long_target) == (0.04, 0.04)
    rows = [(0.03, 0.01, 0.24), (0.20, 0.15, 0.29), (0.25, 0.20, 0.34)]
    rows += [(0.30, 0.25, 0.39), (0.35, 0.30, 0.44), (0.40, 0.35, 0.49)]
    np.testing.assert_allclose(bracket.ladder, rows, rtol=1e-14)


def test_fernando_reaches_both_of_its_cases() -> None:
    found = {"a": 0, "b": 0}
    for bars in (markets.bitfinex(), markets.bitfinex("ETHUSD"), markets.bitfinex("LTCUSD"), markets.perpetual()):
        for bb_period in (20, 40):
            signals = ms.strategy("FernandoStrategy", bb_period=bb_period, bb_std=1.5).signals(bars)
            assert signals.bracket is not None
            in_b = ~np.isnan(signals.bracket.long_level)
            found["b"] += int(in_b.sum())
            found["a"] += int((signals.long_entry & ~in_b).sum())
            assert signals.long_entry[in_b].all()
    assert found["a"] > 50
    assert found["b"] > 0


def test_funding_mean_is_over_settlements_and_not_over_bars() -> None:
    nan = np.nan
    rate = np.array([nan, -2e-4, nan, 0.0, nan, -9e-4, nan, 3e-4, nan])
    count = np.array([0.0, 1, 0, 1, 0, 3, 0, 1, 0])
    bars = markets.random_market(0, 9)
    columns = {key: getattr(bars, key) for key in ("time", "open", "high", "low", "close", "volume")}
    columns |= {"funding_rate": rate, "funding_count": count}
    bars = Bars(columns, provider="", symbol="X", timeframe="1h", periods_per_year=8760.0)
    strategy = ms.strategy("FundingRateArbitrage", period=2, entry=-9.9e-5, exit=-4e-6)
    mean = strategy.overlays(bars)[0].values
    np.testing.assert_allclose(mean, [nan, nan, nan, -1e-4, -1e-4, -3e-4, -3e-4, 0.0, 0.0], atol=1e-18)
    signals = strategy.signals(bars)
    np.testing.assert_array_equal(np.flatnonzero(signals.long_entry), [3, 4, 5, 6])
    np.testing.assert_array_equal(np.flatnonzero(signals.long_exit), [7, 8])
    assert not signals.short_entry.any()


def test_equal_funding_rates_are_not_above_themselves() -> None:
    n = 60
    bars = markets.random_market(0, n)
    columns = {key: getattr(bars, key) for key in ("time", "open", "high", "low", "close", "volume")}
    bars = Bars(
        columns | {"funding_rate": np.full(n, 1e-4)}, provider="", symbol="X", timeframe="8h", periods_per_year=1095.0
    )
    for period in range(1, 22):
        signals = ms.strategy("FundingRateArbitrage", period=period, entry=1e-4, exit=1e-4).signals(bars)
        assert not signals.long_exit.any()
        assert not signals.long_entry.any()
