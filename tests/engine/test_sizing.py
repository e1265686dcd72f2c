"""Sizing by risk: the loss at the stop by hand, against the plain loop, in every engine and in a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError, StrategyError
from maestro.validation.parity.compare import compare as agreement
from tests.engine.kernels.test_segments import compare, market, random_signals
from tests.engine.libraries import library

FREE = ms.Costs(fee=0.0, slippage=0.0)


class Guarded(ms.Strategy):
    """Long after a rising bar, with a stop."""

    distance = ms.Float(0.02, 0.005, 0.05)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        rising = bars.close > bars.open
        return ms.Signals(rising, ~rising, stop=np.full(len(bars), self.distance))


def flat(*lows: float) -> ms.Bars:
    """Bars that open and close at 100, with these lows."""
    n = len(lows)
    stamps = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, n), "1d", eager=True)
    return ms.Bars.from_frame(
        pl.DataFrame({"timestamp": stamps, "open": 100.0, "high": 100.0, "low": lows, "close": 100.0, "volume": 1.0}),
        symbol="FLAT",
    )


def entry(n: int) -> Any:
    return np.arange(n) == 0


def test_texts() -> None:
    assert ms.Sizing.of("risk:1%") == ms.Sizing.of("risk:0.01") == ms.Sizing.risk(0.01)
    assert ms.Sizing.of("risk:1%,3") == ms.Sizing.risk(0.01, max_exposure=3.0)
    assert ms.Sizing.of(ms.Sizing.risk(0.025).text) == ms.Sizing.risk(0.025)
    assert ms.Sizing.of("percent:50%") == ms.Sizing.percent(0.5)
    with pytest.raises(SettingsError, match=r"would lose 100% of the equity at the stop; .* such as risk:1%"):
        ms.Sizing.of("risk:1")
    with pytest.raises(SettingsError, match="give risk:1% to lose 1 % of the equity"):
        ms.Sizing.of("risk")
    with pytest.raises(SettingsError, match=r"give percent:1.0, .* or risk:1%"):
        ms.Sizing.of("kelly:1")


def test_one_percent_by_hand() -> None:
    """100,000 at 100 with a stop at 95: 200 units lose 1,000. With costs, fewer units lose the same 1,000."""
    bars = flat(100, 100, 94)
    signals = ms.Signals(entry(3), stop=0.05)
    free = ms.backtest(bars, signals, costs=FREE, sizing="risk:1%")
    assert free.trades["size"].to_list() == pytest.approx([200.0])
    assert free.trades["pnl"].to_list() == pytest.approx([-1_000.0])
    dear = ms.backtest(bars, signals, costs=ms.Costs(fee=0.001, slippage=0.002), sizing="risk:1%")
    bought = 100 * 1.002
    sold = bought * 0.95 * 0.998
    assert dear.trades["size"].to_list() == pytest.approx([1_000 / (bought - sold + 0.001 * (bought + sold))])
    assert dear.trades["pnl"].to_list() == pytest.approx([-1_000.0])
    trailed = ms.backtest(bars, ms.Signals(entry(3), stop=0.05, trail=0.04), costs=FREE, sizing="risk:1%")
    assert trailed.trades["size"].to_list() == pytest.approx([250.0])  # the trail is nearer


def test_a_near_stop_is_cut_to_the_largest_exposure() -> None:
    bars = flat(100, 100, 99)
    near = ms.Signals(entry(3), stop=0.002)
    cut = ms.backtest(bars, near, costs=FREE, sizing="risk:1%")
    assert cut.trades["size"].to_list() == pytest.approx([1_000.0])  # 5,000 units would be needed
    assert cut.metrics["cut_entries"] == 1
    lent = ms.backtest(bars, near, costs=FREE, sizing="risk:1%,5")
    assert lent.trades["pnl"].to_list() == pytest.approx([-1_000.0])


def test_an_entry_without_a_stop_is_left_out_and_counted() -> None:
    bars = flat(100, 100, 100, 100)
    for stop, unit in ((np.full(4, np.nan), "fraction"), (np.full(4, 110.0), "level")):
        bt = ms.backtest(bars, ms.Signals(entry(4), stop=stop, stop_unit=unit), sizing="risk:1%")
        assert len(bt.trades) == 0
        assert bt.metrics["cut_entries"] == 1
        assert any("left out because they had no stop" in note for note in bt.notes)


@pytest.mark.parametrize("engine", ["fast", "vectorbt", "backtrader"])
def test_a_strategy_without_a_stop_is_refused(engine: Any) -> None:
    bars = ms.load_sample("IBM")[:300]
    with pytest.raises(StrategyError, match="this strategy has no stop or trail; give its signals one"):
        ms.backtest(bars, "EmaCrossStrategy", sizing="risk:1%", engine=engine)
    with pytest.raises(StrategyError, match="limit orders of its own has none"):
        ms.backtest(bars, "GridTradingStrategy", sizing="risk:1%", engine=engine)


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("seed", range(40))
def test_the_kernel_does_what_the_plain_loop_does(seed: int, fill: str) -> None:
    rng = np.random.default_rng([seed, 7])
    bars = market(rng, int(rng.choice([17, 40, 200, 700])), wild=float(rng.choice([0.004, 0.02, 0.08])))
    signals = random_signals(rng, bars)
    if signals.stop is None and signals.trail is None and signals.bracket is None:
        signals = ms.Signals(signals.long_entry, signals.long_exit, signals.short_entry, signals.short_exit, trail=0.02)
    compare(
        bars, signals, f"seed {seed}, {fill}", costs=ms.Costs(0.001, float(rng.choice([0.0, 0.0005]))),
        sizing=ms.Sizing.risk(float(rng.choice([0.002, 0.01, 0.05])), max_exposure=float(rng.choice([0.5, 1.0, 4.0]))),
        fill=fill,
    )  # fmt: skip


def test_every_trade_that_ends_at_its_stop_loses_the_same_share() -> None:
    """A fixed stop, no gap (every bar opens at the last close), no cap: each stop costs 1 % of the equity before."""
    bars = market(np.random.default_rng(3), 2_000, wild=0.004, funding=False)
    opens = np.append(bars.open[0], bars.close[:-1])
    frame = bars.to_frame().with_columns(
        pl.Series("open", opens), pl.Series("high", np.maximum(bars.high, opens)),
        pl.Series("low", np.minimum(bars.low, opens)),
    )  # fmt: skip
    bars = ms.Bars.from_frame(frame, symbol="X")
    rng = np.random.default_rng(4)
    signals = ms.Signals(rng.random(2_000) < 0.1, short_entry=rng.random(2_000) < 0.1, stop=0.01)
    bt = ms.backtest(bars, signals, sizing=ms.Sizing.risk(0.01, max_exposure=10.0), costs=ms.Costs(0.001, 0.0005))
    before = 100_000.0 + bt.trades["pnl"].cum_sum().shift(1, fill_value=0.0)
    stopped = bt.trades["exit_reason"] == "stop"
    assert stopped.sum() > 50
    np.testing.assert_allclose((bt.trades["pnl"] / before).filter(stopped), -0.01, rtol=1e-9)


@pytest.mark.parametrize("engine", ["vectorbt", "backtrader"])
@pytest.mark.parametrize("seed", range(12))
def test_the_other_engines_agree(seed: int, engine: Any) -> None:
    library("vectorbt", "vectorbt")
    library("backtrader", "legacy")
    rng = np.random.default_rng([seed, 8])
    bars = market(rng, 200, wild=0.02, funding=False)
    signals = random_signals(rng, bars)
    if signals.stop is None and signals.trail is None and signals.bracket is None:
        signals = ms.Signals(signals.long_entry, signals.long_exit, signals.short_entry, signals.short_exit, stop=0.03)
    given: dict[str, Any] = {"costs": ms.Costs(0.001, 0.0005), "sizing": ms.Sizing.risk(0.01, max_exposure=0.8)}
    ours, theirs = ms.backtest(bars, signals, **given), ms.backtest(bars, signals, engine=engine, **given)
    assert agreement(ours, theirs).exact, (seed, engine, agreement(ours, theirs))
    assert ours.metrics["cut_entries"] == theirs.metrics["cut_entries"]


def test_a_built_in_rule_with_a_stop_agrees_in_backtrader() -> None:
    library("backtrader", "legacy")
    bars = ms.load_sample("AAPL")[:900]
    ours = ms.backtest(bars, "TrendFollowingATR", sizing="risk:1%")
    theirs = ms.backtest(bars, "TrendFollowingATR", sizing="risk:1%", engine="backtrader")
    assert len(ours.trades) > 5
    assert agreement(ours, theirs).exact


def test_a_search_sizes_by_risk_and_refuses_a_rule_without_a_stop() -> None:
    bars = ms.load_sample("IBM")[:700]
    settings: dict[str, Any] = {"splitter": "rolling:2,2,1", "trials": 3, "executor": "serial", "sizing": "risk:1%"}
    wf = ms.walk_forward(bars, Guarded, **settings)
    assert wf.spec.sizing.kind == "risk"
    assert wf.metrics["num_trades"] > 10
    whole = ms.walk_forward(bars, Guarded, **{**settings, "sizing": "percent:1.0"})
    assert wf.id != whole.id
    assert wf.metrics["volatility"] < whole.metrics["volatility"]
    with pytest.raises(StrategyError, match="this strategy has no stop"):
        ms.walk_forward(bars, "EmaCrossStrategy", **settings)
    with pytest.raises(StrategyError, match="this strategy has no stop"):
        ms.sweep(bars, "EmaCrossStrategy", n=4, sizing="risk:1%")
