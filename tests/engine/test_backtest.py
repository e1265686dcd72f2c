"""What `ms.backtest` takes and gives: the pinned names, lazy tables, notes, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import ParameterError, SettingsError, StrategyError


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(3_000, seed=5)


def test_a_name_a_class_an_instance_and_signals_give_the_same(bars: ms.Bars) -> None:
    by_name = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 20, "slow": 60})
    instance = ms.strategy("EmaCrossStrategy", fast=20, slow=60)
    for given in (instance, instance.signals(bars)):
        assert ms.backtest(bars, given).metrics == by_name.metrics
    assert ms.backtest(bars, type(instance), params={"fast": 20, "slow": 60}).metrics == by_name.metrics
    assert ms.backtest(bars, instance, params={"fast": 30}).strategy.params == {"fast": 30, "slow": 60}  # type: ignore[union-attr]


def test_the_tables_have_the_pinned_columns(bars: ms.Bars) -> None:
    bt = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 20}, sizing=ms.Sizing.percent(1.0), cash=50_000)
    assert bt.equity.columns == ["timestamp", "equity", "position", "drawdown"]
    assert bt.trades.columns == [
        "side", "entry_time", "exit_time", "entry_price", "exit_price", "size", "fees", "funding", "pnl", "return",
        "exit_reason",
    ]  # fmt: skip
    assert bt.orders.columns == ["timestamp", "side", "size", "price", "fee"]
    assert bt.returns.shape == (len(bars),)
    assert bt.returns[0] == bt.equity["equity"][0] / 50_000 - 1
    assert np.prod(1 + bt.returns) == pytest.approx(bt.metrics["final_equity"] / 50_000)
    assert set(bt.trades["side"]) <= {"long", "short"}
    assert bt.equity["drawdown"].min() == pytest.approx(bt.metrics["max_drawdown"])
    traded = bt.orders.select((pl.col("size") * pl.col("price")).sum()).item()
    years = len(bars) / bars.periods_per_year
    assert bt.metrics["turnover"] == pytest.approx(traded / bt.equity["equity"].mean() / years)


def test_no_trade_is_nan_not_zero(bars: ms.Bars) -> None:
    bt = ms.backtest(bars, ms.Signals(np.zeros(len(bars), bool)))
    assert bt.metrics["num_trades"] == 0
    assert all(np.isnan(bt.metrics[name]) for name in ("sharpe_ratio", "win_rate", "profit_factor", "calmar_ratio"))
    assert bt.trades.height == bt.orders.height == 0
    assert bt.trades.schema["exit_reason"] == pl.String


def test_notes_state_what_a_reader_must_know(bars: ms.Bars) -> None:
    notes = " ".join(ms.backtest(bars, "EmaCrossStrategy", fill="close").notes)
    assert "synthetic" in notes
    assert "looks ahead" in notes
    cut = ms.backtest(bars, "EmaCrossStrategy", sizing=ms.Sizing.units(1e9))
    assert cut.metrics["cut_entries"] > 0
    assert "cut" in " ".join(cut.notes)
    assert "<table>" in cut._repr_html_()
    assert "num_trades" in repr(cut)


def test_ruin_ends_the_account() -> None:
    close = np.concatenate([np.full(5, 100.0), np.linspace(100, 400, 20)])
    frame = pl.DataFrame(
        {
            "timestamp": np.arange(25) * 3600 + 1_600_000_000,
            "open": close, "high": close, "low": close, "close": close, "volume": np.ones(25),
        }
    )  # fmt: skip
    bars = ms.Bars.from_frame(frame)
    entry = np.zeros(25, bool)
    entry[3] = True
    bt = ms.backtest(bars, ms.Signals(short_entry=entry))
    assert bt.trades["exit_reason"].to_list() == ["ruin"]
    assert bt.metrics["ruined"] == 1
    assert np.isnan(bt.metrics["sharpe_ratio"])
    assert bt.metrics["final_equity"] <= 0
    assert "ruined" in " ".join(bt.notes)


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"strategy": "EmaCros"}, StrategyError, "EmaCrossStrategy"),
        ({"strategy": 7}, StrategyError, "ms.strategies"),
        ({"params": {"fast": 0}}, ParameterError, "from 1"),
        ({"params": {"fast": 2.5}}, ParameterError, "whole number"),
        ({"params": {"fast": 100, "slow": 50}}, ParameterError, "fast < slow"),
        ({"params": {"quick": 3}}, ParameterError, "it has: fast, slow"),
        ({"params": {"slow": 2_000}}, ParameterError, "half"),
        ({"cash": 0}, SettingsError, "above 0"),
        ({"cash": -1.0}, SettingsError, "above 0"),
        ({"cash": float("nan")}, SettingsError, "above 0"),
        ({"fill": "open"}, SettingsError, "next_open"),
        ({"engine": "vectorbtt"}, SettingsError, "allowed"),
        ({"window": (5, 5)}, SettingsError, "window"),
    ],
)
def test_bad_settings_are_refused_by_name(
    bars: ms.Bars, kwargs: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ms.backtest(bars, **{"strategy": "EmaCrossStrategy", **kwargs})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ms.Costs(fee=0.6), "0.1 % is 0.001"),
        (lambda: ms.Costs(slippage=-0.1), "slippage"),
        (lambda: ms.Costs.of("BINNANCE"), "BINANCE"),
        (lambda: ms.Sizing.percent(1.5), "max_exposure"),
        (lambda: ms.Sizing.cash(0), "above 0"),
        (lambda: ms.Sizing("all", 1.0), "allowed"),  # type: ignore[arg-type]
    ],
)
def test_costs_and_sizing_are_checked(make: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make()


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (lambda n: ms.Signals(np.zeros(n)), "booleans"),
        (lambda n: ms.Signals(np.zeros(n, bool), np.zeros(n - 1, bool)), "one value for each"),
        (lambda n: ms.Signals(np.zeros(n, bool), stop=-0.1), "above 0"),
        (lambda n: ms.Signals(np.zeros(n, bool), stop=0.1, stop_unit="percent"), "allowed"),
        (lambda n: ms.Signals(), "at least"),
    ],
)
def test_signals_are_checked(bars: ms.Bars, signals: Any, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        ms.backtest(bars, signals(len(bars)))


def test_signals_of_other_bars_are_refused(bars: ms.Bars) -> None:
    with pytest.raises(StrategyError, match="one per bar"):
        ms.backtest(bars, ms.Signals(np.zeros(10, bool)))


def test_a_window_trades_only_its_own_bars(bars: ms.Bars) -> None:
    """The first fill is at the open of the window's second bar, and the fold ends flat."""
    flags = np.ones(len(bars), bool)
    bt = ms.backtest(bars, ms.Signals(flags), window=(1_000, 1_200), close_at_end=True)
    stamps = bars.timestamp
    entry = bt.trades["entry_time"].dt.replace_time_zone(None).to_numpy()[0]
    assert entry == stamps[1_001]
    assert bt.trades["exit_reason"].to_list() == ["end"]
    assert bt.equity["position"][-1] == 0.0
    assert len(bt.equity) == 200
    assert bt.metrics["final_equity"] == pytest.approx(100_000 + bt.trades["pnl"].sum())
