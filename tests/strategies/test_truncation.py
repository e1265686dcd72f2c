"""No strategy looks ahead, none speaks before its warm-up, and the cache changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.strategies import STRATEGIES
from tests.strategies import markets
from tests.strategies.contract import SIDES, sample
from tests.strategies.plain_rules import WARMUP

NAMES = ms.strategies()
WHOLE = markets.random_market(11, 700)


def same(name: str, cut: Any, whole: Any, k: int) -> None:
    """Signals on k bars are those on all bars, cut at k, to the bit."""
    at = f"{name} on the first {k} bars"
    for side in SIDES:
        np.testing.assert_array_equal(getattr(cut, side), getattr(whole, side)[:k], err_msg=f"{at}: {side}")
    if whole.trail is not None:
        np.testing.assert_array_equal(cut.trail, whole.trail[:k], err_msg=at)
    if whole.bracket is not None:
        np.testing.assert_array_equal(cut.bracket.long_level, whole.bracket.long_level[:k], err_msg=at)
        np.testing.assert_array_equal(cut.bracket.short_level, whole.bracket.short_level[:k], err_msg=at)
    if isinstance(whole, ms.Orders):
        np.testing.assert_array_equal(cut.columns, whole.columns[:, :k], err_msg=at)


@pytest.mark.parametrize("name", NAMES)
def test_cutting_the_future_off_changes_no_signal(name: str) -> None:
    proxies = (False, True) if "proxy" in STRATEGIES[name].declared else (None,)
    for proxy in proxies:
        strategy = ms.strategy(name) if proxy is None else ms.strategy(name, proxy=proxy)
        whole = strategy.signals(WHOLE)
        for k in range(1, len(WHOLE)):
            same(name, strategy.signals(WHOLE[:k]), whole, k)


@pytest.mark.parametrize("name", NAMES)
def test_cutting_the_future_off_real_bars_changes_no_signal(name: str) -> None:
    bars = markets.bitfinex("ETHUSD")
    strategy = ms.strategy(name, proxy=True) if "proxy" in STRATEGIES[name].declared else ms.strategy(name)
    whole = strategy.signals(bars)
    for k in np.random.default_rng(0).integers(1, len(bars), 40).tolist():
        same(name, strategy.signals(bars[:k]), whole, k)


@pytest.mark.parametrize("name", NAMES)
def test_the_warm_up_is_that_of_the_written_table(name: str) -> None:
    for seed in range(30):
        params = sample(name, seed)
        assert ms.strategy(name, **params).warmup(params) == WARMUP[name](params)


def first_signal(signals: ms.Signals) -> int:
    spoken = np.logical_or.reduce([getattr(signals, side) for side in SIDES])
    return int(np.flatnonzero(spoken)[0]) if spoken.any() else len(signals)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_bar_after_the_warm_up_may_speak_and_none_before(name: str) -> None:
    strategy = ms.strategy(name)
    warm = strategy.warmup(strategy.params)
    if name == "FundingRateArbitrage":
        warm = 3  # settlements, one a bar here
    rng = np.random.default_rng(5)
    earliest = n = warm + 1
    for _ in range(4000):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, n) * rng.choice([0.2, 1.0, 4.0], n)))
        opens = np.concatenate((close[:1], close[:-1]))
        columns = {
            "time": np.arange(n, dtype=np.int64) * markets.HOUR_US, "open": opens, "high": np.maximum(opens, close),
            "low": np.minimum(opens, close), "close": close, "volume": rng.lognormal(0, 1, n),
            "funding_rate": rng.normal(0, 1e-4, n), "basis": rng.normal(0, 1e-3, n),
            "open_interest": np.exp(np.cumsum(rng.normal(0, 0.2, n))),
        }  # fmt: skip
        bars = Bars(columns, provider="", symbol="X", timeframe="1h", periods_per_year=8760.0)
        earliest = min(earliest, first_signal(strategy.signals(bars)))
        if earliest <= warm:
            break
    assert earliest == (2 if name == "FundingRateArbitrage" else warm)


@pytest.mark.parametrize("name", NAMES)
def test_the_cache_changes_nothing(name: str) -> None:
    strategy = ms.strategy(name)
    alone = strategy.signals(WHOLE)
    with ms.indicators.column_cache():
        for _ in range(2):
            same(name, strategy.signals(WHOLE), alone, len(WHOLE))


@pytest.mark.parametrize("name", NAMES)
def test_overlays_are_named_lines_of_the_bars(name: str) -> None:
    overlays = ms.strategy(name).overlays(WHOLE)
    assert len({(line.pane, line.name) for line in overlays}) == len(overlays) > 0
    for line in overlays:
        assert line.values.shape == (len(WHOLE),)
        assert np.isfinite(line.values).any(), line.name
        assert line.pane
