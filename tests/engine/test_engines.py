"""Engines by one interface: the same tables from each, agreement on random signals, and refusals by name."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.engine.engines import ALIASES, NAMES, EngineBacktest
from maestro.errors import MissingExtraError, SettingsError
from maestro.validation.parity.compare import compare
from tests.engine.kernels.test_segments import market, random_signals, random_sizing
from tests.engine.libraries import library

library("vectorbt", "vectorbt")
library("backtrader", "legacy")

OTHERS = ("vectorbt", "backtrader")


@pytest.fixture(scope="module")
def msft() -> Bars:
    return ms.load_sample("MSFT")[:500]


def lends(sizing: ms.Sizing) -> bool:
    return sizing.max_exposure > 1


def test_the_table_tells_what_each_can_do() -> None:
    table = ms.engines()
    assert table.columns == ["what", *NAMES]
    can = {row["what"]: row for row in table.iter_rows(named=True)}
    assert {alias: name for name in NAMES if (alias := can["alias"][name])} == ALIASES
    assert {row["fast"] for what, row in can.items() if what not in ("alias", "trades", "extra")} == {"yes"}
    assert [can["funding"][name] for name in NAMES] == ["yes", "no", "yes"]
    assert [can["extra"][name] for name in NAMES] == ["", "vectorbt", "legacy"]


@pytest.mark.parametrize(("alias", "engine"), [("v1", "backtrader"), ("v2", "fast"), ("fast", "fast")])
def test_aliases_are_the_engines(alias: str, engine: str, msft: Bars) -> None:
    result = ms.backtest(msft, "EmaCrossStrategy", engine=alias)
    assert result.engine == engine
    assert result.seconds > 0
    assert compare(ms.backtest(msft, "EmaCrossStrategy"), result).exact


def test_an_unknown_engine_is_refused_with_the_nearest_name(msft: Bars) -> None:
    with pytest.raises(SettingsError, match=r"allowed: fast, vectorbt, backtrader, v1, v2\. Did you mean 'vectorbt'"):
        ms.backtest(msft, "EmaCrossStrategy", engine="vectorbot")


@pytest.mark.parametrize("engine", OTHERS)
def test_the_same_tables_from_every_engine(engine: str, msft: Bars) -> None:
    ours, theirs = ms.backtest(msft, "MACDStrategy"), ms.backtest(msft, "MACDStrategy", engine=engine)
    assert isinstance(theirs, EngineBacktest)
    for name in ("equity", "trades", "orders"):
        a, b = getattr(ours, name), getattr(theirs, name)
        assert a.schema == b.schema
        assert len(a) == len(b)
    assert list(ours.metrics) == list(theirs.metrics)
    np.testing.assert_allclose(ours.returns, theirs.returns, atol=1e-9)
    assert ours.trades["exit_reason"].equals(theirs.trades["exit_reason"])
    assert theirs.notes[0] == f"Simulated by {engine}."
    assert theirs.native is not None
    assert theirs.to_vectorbt().orders.count() == len(theirs.orders)
    cash = theirs.cash + theirs.trades["pnl"].sum()
    assert cash == pytest.approx(theirs.metrics["final_equity"], rel=1e-9)


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("seed", range(40))
def test_random_signals_with_stops_targets_trails_and_brackets(seed: int, engine: str) -> None:
    rng = np.random.default_rng(seed)
    funding = engine == "backtrader" and bool(rng.random() < 0.5)
    bars = market(rng, 150, wild=float(rng.choice([0.004, 0.02])), funding=funding)
    signals, sizing = random_signals(rng, bars), random_sizing(rng)
    settings: Any = {"sizing": sizing, "costs": ms.Costs(0.001, float(rng.choice([0.0, 0.0005])))}
    if lends(sizing):
        with pytest.raises(SettingsError, match="max_exposure"):
            ms.backtest(bars, signals, engine=engine, **settings)
        return
    ours, theirs = ms.backtest(bars, signals, **settings), ms.backtest(bars, signals, engine=engine, **settings)
    agreement = compare(ours, theirs)
    # A ratio of returns that are all rounding has no nine digits; equity and fills have.
    assert agreement.fill <= 1e-9, agreement
    assert agreement.equity_difference <= 1e-9, agreement
    assert agreement.within_a_bar == 1.0
    assert ours.trades["exit_reason"].to_list() == theirs.trades["exit_reason"].to_list()
    assert ours.metrics["cut_entries"] == theirs.metrics["cut_entries"]


@pytest.mark.parametrize("kind", ["percent:0.5", "cash:150000", "units:2000", "volatility:0.2"])
def test_vectorbt_at_the_close(kind: str, msft: Bars) -> None:
    ours = ms.backtest(msft, "MACDStrategy", sizing=kind, fill="close")
    assert compare(ours, ms.backtest(msft, "MACDStrategy", sizing=kind, fill="close", engine="vectorbt")).exact


def test_a_trail_and_a_target_without_slippage() -> None:
    """They once met rows whose price keeps a trail from being hit, and a target was hit by it."""
    rng = np.random.default_rng(7)
    bars = market(rng, 200, wild=0.01)
    signals = ms.Signals(rng.random(200) < 0.2, rng.random(200) < 0.1, trail=0.02, target=0.02)
    settings: Any = {"costs": ms.Costs(0.001, 0.0)}
    ours = ms.backtest(bars, signals, **settings)
    assert {"trail", "target"} <= set(ours.trades["exit_reason"])
    assert compare(ours, ms.backtest(bars, signals, engine="vectorbt", **settings)).exact


@pytest.mark.parametrize("seed", range(10))
def test_random_signals_at_the_close(seed: int) -> None:
    rng = np.random.default_rng(300 + seed)
    bars = market(rng, 150)
    given = random_signals(rng, bars)
    plain = ms.Signals(given.long_entry, given.long_exit, given.short_entry, given.short_exit)
    ours, theirs = (ms.backtest(bars, plain, fill="close", engine=engine) for engine in ("fast", "vectorbt"))
    assert compare(ours, theirs).fill <= 1e-9
    assert compare(ours, theirs).equity_difference <= 1e-9


@pytest.mark.parametrize("kind", ["cash:150000,0.7", "units:20000,0.5", "percent:0.5,0.8"])
def test_entries_cut_to_less_than_all(kind: str, msft: Bars) -> None:
    ours = ms.backtest(msft, "MACDStrategy", sizing=kind)
    for engine in OTHERS:
        assert compare(ours, ms.backtest(msft, "MACDStrategy", sizing=kind, engine=engine)).exact, engine


def own_orders(bars: Bars) -> ms.Orders:
    grid: Any = ms.strategy("GridTradingStrategy").signals(bars)

    def step(*_: Any) -> int:
        return 0

    return ms.Orders(grid.long_entry, step=step, columns=grid.columns, numbers=grid.numbers, slots=5, state=8)


@pytest.mark.parametrize(
    ("engine", "what", "settings", "words"),
    [
        ("vectorbt", "funding", {}, "funding, because only orders change its cash.*Use engine='fast' or engine='"),
        ("vectorbt", "orders", {}, "limit orders of a strategy's own step.*Use engine='fast'"),
        ("backtrader", "orders", {}, "limit orders of a strategy's own step.*Use engine='fast'"),
        ("vectorbt", "GridTradingStrategy", {"sizing": "volatility:0.2"}, "a grid with volatility sizing"),
        ("backtrader", "GridTradingStrategy", {"sizing": "volatility:0.2"}, "a grid with volatility sizing"),
        ("vectorbt", "RSIStrategy", {"sizing": "percent:2,3"}, "max_exposure=3"),
        ("backtrader", "RSIStrategy", {"sizing": "units:2,3"}, "max_exposure=3"),
        ("backtrader", "RSIStrategy", {"fill": "close"}, "fill='close'"),
        ("vectorbt", "MACDStrategyX", {"fill": "close"}, "fill='close' with stops"),
        ("vectorbt", "RSIStrategy", {"fill": "close", "sizing": "units:2,0.5"}, "max_exposure below 1"),
        ("vectorbt", "RSIStrategy", {"window": (0, 300)}, "window and close_at_end, which are for folds"),
        ("backtrader", "RSIStrategy", {"close_at_end": True}, "window and close_at_end"),
    ],
)
def test_what_an_engine_cannot_do_is_refused_by_name(
    engine: str, what: str, settings: dict[str, Any], words: str, msft: Bars
) -> None:
    bars, strategy = msft, what
    if what == "funding":
        frame = msft.to_frame()
        rates = np.where(np.arange(len(msft)) % 3 == 0, 0.0001, np.nan)
        bars = Bars.from_frame(frame.with_columns(funding_rate=rates), timeframe="1d")
        strategy = "FundingRateArbitrage"
    given: Any = own_orders(bars) if what == "orders" else strategy
    with pytest.raises(SettingsError, match=words) as refused:
        ms.backtest(bars, given, engine=engine, **settings)
    assert f"engine={engine!r} cannot do this" in str(refused.value)


def test_without_settlements_a_funding_column_is_no_obstacle(msft: Bars) -> None:
    bars = Bars.from_frame(msft.to_frame().with_columns(funding_rate=np.full(len(msft), np.nan)), timeframe="1d")
    ours = ms.backtest(bars, "MACDStrategy")
    assert compare(ours, ms.backtest(bars, "MACDStrategy", engine="vectorbt")).exact


def short_into_a_rally() -> tuple[Bars, ms.Signals]:
    """A short that loses more than everything."""
    close = np.concatenate((np.full(5, 100.0), np.linspace(100, 300, 10), np.full(5, 300.0)))
    stamps = np.arange(len(close)).astype("datetime64[D]").astype("datetime64[us]")

    frame = pl.DataFrame(
        {"timestamp": stamps, "open": close, "high": close, "low": close, "close": close, "volume": np.ones(20)}
    )
    entry = np.zeros(20, bool)
    entry[2] = True
    return Bars.from_frame(frame, timeframe="1d"), ms.Signals(short_entry=entry)


def test_ruin() -> None:
    bars, signals = short_into_a_rally()
    ours, theirs = ms.backtest(bars, signals), ms.backtest(bars, signals, engine="v1")
    assert ours.metrics["ruined"] == theirs.metrics["ruined"] == 1.0
    assert theirs.metrics["final_equity"] == pytest.approx(ours.metrics["final_equity"], rel=1e-9)
    assert theirs.trades["exit_reason"].to_list() == ["ruin"]
    assert theirs.trades["exit_time"].equals(ours.trades["exit_time"])
    with pytest.raises(SettingsError, match=r"the account is ruined at bar \d+, and vectorbt, which cannot borrow"):
        ms.backtest(bars, signals, engine="vectorbt")


@pytest.mark.parametrize(("engine", "extra"), [("vectorbt", "vectorbt"), ("backtrader", "legacy")])
def test_a_missing_library_names_its_extra(
    engine: str, extra: str, msft: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one.startswith(f"maestro.engine.{engine}")]:
        monkeypatch.delitem(sys.modules, name)
    import maestro.engine

    monkeypatch.delattr(maestro.engine, engine, raising=False)
    monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(MissingExtraError, match=rf"maestro-research\[{extra}\]"):
        ms.backtest(msft, "EmaCrossStrategy", engine=engine)
    if engine == "vectorbt":
        with pytest.raises(MissingExtraError, match="vectorbt"):
            ms.backtest(msft, "EmaCrossStrategy").to_vectorbt()


def test_no_trade_at_all(msft: Bars) -> None:
    never = ms.Signals(np.zeros(len(msft), bool))
    for engine in OTHERS:
        result = ms.backtest(msft, never, engine=engine)
        assert result.metrics["num_trades"] == 0
        assert len(result.orders) == len(result.trades) == 0
        assert result.metrics["final_equity"] == 100_000.0
