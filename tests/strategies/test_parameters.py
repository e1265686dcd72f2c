"""What a strategy can be asked for: names, types, bounds, constraints, proxies, and a message for all else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import MissingSeriesError, ParameterError, StrategyError
from maestro.strategies import STRATEGIES
from tests.strategies import markets

SEARCH = {
    "EmaCrossStrategy": "fast 50 5..100, slow 100 20..200",
    "MaCrossStrategy": "fast 60 20..100, slow 120 50..200, confirm 1 0..3",
    "RSIStrategy": "period 20 5..50, oversold 30 20..40, overbought 70 60..80",
    "MACDStrategy": "fast 12 6..24, slow 26 18..52, signal 9 5..15",
    "MACDStrategyX": "fast 12 6..20, slow 26 18..40, signal 9 5..15, sma_period 30 15..50, dir_period 10 5..20, "
    "trail 0.15 0.03..0.4",
    "BollingerBandsStrategy": "period 20 10..50, num_std 2.0 1.5..3.0",
    "ChannelStrategy": "short_period 20 10..40, long_period 50 30..100",
    "IchimokuStrategy": "tenkan 9 5..15, kijun 26 15..40, senkou_b 52 30..80",
    "FernandoStrategy": "bb_period 20 10..40, bb_std 2.0 1.5..3.0, vli_fast 20 10..40, vli_slow 100 50..150, "
    "vol_fast 10 5..20, vol_slow 50 30..80, stop_loss 0.05 0.035..0.1",
    "VWAPStrategy": "period 20 10..50, dev 1.5 1.0..3.0",
    "ScalpRSIStrategy": "period 7 3..14, oversold 25 15..35, overbought 75 65..85",
    "MomentumBreakoutStrategy": "lookback 20 10..50, vol_mult 1.5 1.0..3.0",
    "StochRSIStrategy": "rsi_period 14 7..21, stoch_period 14 7..21, k 3 2..7, d 3 2..7, low 20 10..30, high 80 70..90",
    "EMARibbonStrategy": "fast 8 3..15, medium 13 8..20, slow 21 15..40",
    "FundingRateArbitrage": "period 3 1..21, entry -3e-05 -0.0005..-5e-06 log, exit 3e-05 5e-06..0.0005 log",
    "BasisTradingStrategy": "lookback 20 10..50, entry_std 2.0 1.5..3.0, exit_std 0.5 0.2..1.0",
    "OpenInterestDivergence": "price_period 10 5..20, oi_period 10 5..20, price_thresh 0.02 0.01..0.05, "
    "oi_thresh 0.1 0.05..0.2",
    "LiquidationHuntStrategy": "atr_period 14 7..21, atr_mult 3.0 2.0..5.0, sma_period 20 10..40",
    "GridTradingStrategy": "grid_size 0.02 0.005..0.05, num_grids 5 2..10, period 20 10..40, num_std 2.0 1.5..3.0",
    "VolatilityBreakoutStrategy": "atr_period 20 10..40, atr_mult 2.0 1.0..3.0, squeeze 0.9 0.75..1.0",
    "TrendFollowingATR": "trend_period 50 20..100, atr_period 14 7..21, atr_mult 2.0 1.0..4.0",
    "MeanReversionBands": "period 20 10..40, num_std 2.5 2.0..3.5, exit_std 0.5 0.3..1.0",
}
PROXY = "period 8 4..24, entry -0.01 -0.05..-0.005, exit 0.005 0.001..0.02"


def space(declared: dict[str, Any]) -> str:
    """Searched parameters as written above: name, default, bounds and scale; the type shows in the numbers."""
    return ", ".join(
        f"{name} {p.default} {p.low}..{p.high}{' log' if p.log else ''}" for name, p in declared.items() if p.search
    )


def test_the_list_is_that_of_the_written_one() -> None:
    assert ms.strategies() == list(SEARCH)
    assert list(STRATEGIES) == list(SEARCH)
    for name, cls in STRATEGIES.items():
        assert cls.__name__ == name == ms.strategy(name).name


@pytest.mark.parametrize("name", SEARCH)
def test_declares_the_written_search_space(name: str) -> None:
    cls = STRATEGIES[name]
    assert space(cls.parameters()) == SEARCH[name]
    assert all(p.doc for p in cls.declared.values())
    assert cls.__doc__
    assert ms.strategy(name).params == {key: p.default for key, p in cls.declared.items()}


def test_a_proxy_has_bounds_and_defaults_of_its_own() -> None:
    cls = STRATEGIES["FundingRateArbitrage"]
    assert space(cls.parameters({"proxy": True})) == PROXY
    assert space(cls.parameters({"proxy": False})) == SEARCH["FundingRateArbitrage"]
    strategy = ms.strategy("FundingRateArbitrage", proxy=True, exit=0.01)
    assert strategy.params == {"proxy": True, "period": 8, "entry": -0.01, "exit": 0.01}


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("EmaCrossStrategy", {"fast": 10.5}, r"fast=10.5 is not a whole number; allowed: whole numbers from 1"),
        ("EmaCrossStrategy", {"fast": "ten"}, "fast='ten' is not a whole number"),
        ("EmaCrossStrategy", {"fast": True}, "fast=True is not a whole number"),
        ("EmaCrossStrategy", {"fast": None}, "fast=None is not a whole number"),
        ("EmaCrossStrategy", {"fast": math.nan}, "fast=nan is not a whole number"),
        ("EmaCrossStrategy", {"fast": 0}, "fast=0 is out of bounds"),
        ("EmaCrossStrategy", {"fst": 10}, "no parameter 'fst'; it has: fast, slow. Did you mean 'fast'"),
        ("EmaCrossStrategy", {"fast": 100}, "EmaCrossStrategy needs fast < slow; got fast=100, slow=100"),
        ("EMARibbonStrategy", {"medium": 21}, "needs fast < medium < slow"),
        ("RSIStrategy", {"period": 1}, "period=1 is out of bounds; allowed: whole numbers from 2"),
        ("RSIStrategy", {"overbought": 101}, "overbought=101 is out of bounds; allowed: whole numbers from 0 to 100"),
        ("BollingerBandsStrategy", {"num_std": "2"}, "num_std='2' is not a number"),
        ("BollingerBandsStrategy", {"num_std": math.nan}, "num_std=nan is out of bounds"),
        ("BollingerBandsStrategy", {"num_std": math.inf}, "num_std=inf is out of bounds"),
        ("BollingerBandsStrategy", {"num_std": -1}, "num_std=-1.0 is out of bounds"),
        ("BollingerBandsStrategy", {"period": 10, "num_std": 3.0}, r"needs num_std < sqrt\(period - 1\)"),
        ("BasisTradingStrategy", {"lookback": 5, "entry_std": 2.0}, r"needs entry_std < sqrt\(lookback - 1\)"),
        ("FernandoStrategy", {"bb_period": 5, "bb_std": 2.0}, r"needs bb_std < sqrt\(bb_period - 1\)"),
        ("MeanReversionBands", {"period": 5, "num_std": 2.0}, r"needs num_std < sqrt\(period - 1\)"),
        ("ChannelStrategy", {"short_period": 50}, "needs short_period < long_period"),
        ("GridTradingStrategy", {"grid_size": 0.2}, r"needs \(num_grids \+ 1\) \* grid_size < 1"),
        ("FundingRateArbitrage", {"proxy": 1}, "proxy=1 is neither True nor False"),
        ("MACDStrategyX", {"trail": 0.0}, "trail=0.0 is out of bounds"),
        ("FernandoStrategy", {"stop_loss": 1.0}, "stop_loss=1.0 is out of bounds"),
    ],
)
def test_refuses_impossible_parameters(name: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ms.strategy(name, **params)


def test_bounds_are_for_the_search_only() -> None:
    strategy = ms.strategy("EmaCrossStrategy", fast=np.int64(2), slow=1000.0)
    assert strategy.params == {"fast": 2, "slow": 1000}
    assert (type(strategy.params["fast"]), type(strategy.params["slow"])) == (int, int)
    assert type(ms.strategy("VWAPStrategy", dev=2).params["dev"]) is float


def test_an_unknown_strategy_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(StrategyError, match=r"there is no strategy 'EMACross'.*Did you mean 'EmaCrossStrategy'"):
        ms.strategy("EMACross")
    with pytest.raises(StrategyError, match=r"ms\.strategies"):
        ms.strategy(None)  # type: ignore[arg-type]


def test_a_warm_up_of_more_than_half_the_bars_is_refused() -> None:
    bars = markets.random_market(0, 500)
    with pytest.raises(ParameterError, match=r"slow=300.*needs 300 bars to warm up, more than half of the 500 bars"):
        ms.strategy("EmaCrossStrategy", slow=300).evaluate(bars)


# -- series ------------------------------------------------------------------------------------

NEEDS = {
    "FundingRateArbitrage": "funding_rate",
    "BasisTradingStrategy": "basis",
    "OpenInterestDivergence": "open_interest",
}


def test_three_of_them_need_a_series() -> None:
    assert {name: cls.requires[0] for name, cls in STRATEGIES.items() if cls.requires} == NEEDS


@pytest.mark.parametrize("name", NEEDS)
def test_refuses_bars_without_its_series_and_runs_on_a_named_proxy(name: str) -> None:
    rich = markets.random_market(2)
    bare = rich.to_frame().drop("funding_rate", "funding_count", "open_interest", "basis")
    bars = ms.Bars.from_frame(bare, symbol="BARE", timeframe="1h")
    strategy = ms.strategy(name)
    for method in (strategy.signals, strategy.overlays, strategy.evaluate):
        with pytest.raises(MissingSeriesError, match=f"{name} needs {NEEDS[name]}, which BARE:1h does not carry"):
            method(bars)
    proxy = ms.strategy(name, proxy=True)
    signals = proxy.signals(bars)
    assert signals.long_entry.any()
    assert f"{name} ran on a proxy" in signals.notes[0]
    assert any("proxy" in note for note in ms.backtest(bars, proxy).notes)
    np.testing.assert_array_equal(proxy.signals(rich).long_entry, signals.long_entry)  # also where the series is there
    assert not strategy.signals(rich).notes


@pytest.mark.parametrize("name", NEEDS)
def test_a_series_of_nulls_counts_as_missing(name: str) -> None:
    frame = markets.random_market(2).to_frame().with_columns(pl.lit(None, pl.Float64).alias(NEEDS[name]))
    with pytest.raises(MissingSeriesError, match="proxy=True"):
        ms.strategy(name).signals(ms.Bars.from_frame(frame, symbol="NULLS", timeframe="1h"))


def test_a_slow_open_interest_is_noted() -> None:
    frame = markets.random_market(3).to_frame()
    held = frame["open_interest"].gather(np.arange(len(frame)) // 24 * 24).forward_fill()
    bars = ms.Bars.from_frame(frame.with_columns(open_interest=held), symbol="X", timeframe="1h")
    (note,) = ms.strategy("OpenInterestDivergence", oi_period=10).signals(bars).notes
    assert note.startswith("Open interest is updated every 24 bars, more than oi_period=10")
    assert not ms.strategy("OpenInterestDivergence", oi_period=24).signals(bars).notes
    assert any("every 24 bars" in n for n in ms.backtest(bars, "OpenInterestDivergence").notes)


# -- declarations ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: ms.Int(10, 20, 5), "minimum <= low <= high"),
        (lambda: ms.Int(10, 2.5, 5), "use ms.Float"),
        (lambda: ms.Int(10, 1, 50, maximum=40), "minimum <= low <= high"),
        (lambda: ms.Float(0.0, 1.0, 2.0, minimum=0.5), "and the default among them"),
        (lambda: ms.Float("a", 0, 1), "must be numbers"),
        (lambda: ms.Float(0.1, 0.0, 1.0, log=True), "log scale needs low and high of one sign"),
        (lambda: ms.Float(0.1, -1.0, 1.0, log=True), "log scale needs low and high of one sign"),
        (lambda: ms.Float(0.1, 0.0, 1.0, step=0), "step must be above 0"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declare: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        declare()


def test_limits_default_to_the_bounds_of_the_search() -> None:
    assert ms.Int(5, 2, 10).minimum == 1
    assert ms.Int(0, 0, 3).minimum == 0
    assert ms.Float(0.5, 0, 1).minimum == 0.0
    assert ms.Float(-1, -2, 2).minimum == -math.inf
    assert (ms.Float(1, 0, 2).default, type(ms.Float(1, 0, 2).high)) == (1.0, float)
    assert "searched in [2..10], default 5" in ms.Int(5, 2, 10).describe()
