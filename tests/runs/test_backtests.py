"""Backtests on disk: the same numbers again, an id from the specification, and damage that is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import RunError
from maestro.runs.backtests import BacktestSpec, BacktestStore, StoredBacktest, find_backtest, list_backtests
from tests.support.backtests import stored


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("EmaCrossStrategy", {"params": {"fast": 10, "slow": 40}, "costs": ms.Costs(0.002, 0.0)}),
        ("FernandoStrategy", {"sizing": "percent:0.5", "fill": "close"}),
        ("GridTradingStrategy", {}),
        ("TrendFollowingATR", {"engine": "backtrader"}),
    ],
)
def test_it_is_read_as_it_was_written(strategy: str, settings: dict[str, Any], tmp_path: Path) -> None:
    bars = ms.load("sample:AAPL", start="2008", periods_per_year=250)
    own = ms.backtest(bars, strategy, **settings)
    again = stored(own, tmp_path).load()
    assert isinstance(again, StoredBacktest)
    for table in ("equity", "trades", "orders"):
        assert getattr(again, table).equals(getattr(own, table), null_equal=True)
    for book in ("equity", "position", "orders", "trades"):
        np.testing.assert_array_equal(getattr(again.books, book), getattr(own.books, book))
    np.testing.assert_array_equal(list(again.metrics.values()), list(own.metrics.values()))
    np.testing.assert_array_equal(again.benchmark, own.benchmark)
    np.testing.assert_array_equal(again.signals.long_entry, own.signals.long_entry)
    assert (again.notes, again.engine, again.seconds) == (own.notes, own.engine, own.seconds)
    assert (again.cash, again.fill, again.costs, again.sizing) == (own.cash, own.fill, own.costs, own.sizing)
    assert (again.bars.fingerprint, again.bars.calendar) == (bars.fingerprint, bars.calendar)
    assert again.to_v1() == own.to_v1()
    assert repr(again) == repr(own)


def test_bars_with_funding_come_back_whole(tmp_path: Path) -> None:
    plain = ms.synthetic_bars(500)
    rates = plain.to_frame().gather_every(8).select("timestamp", funding_rate=pl.lit(1e-4))
    bars = plain.with_series(funding=rates)
    own = ms.backtest(bars, "EmaCrossStrategy")
    again = stored(own, tmp_path).load()
    assert again.bars.fingerprint == bars.fingerprint
    assert again.metrics["funding"] == own.metrics["funding"] != 0


def test_the_id_is_that_of_everything_that_determines_the_result(tmp_path: Path) -> None:
    bars, rule = ms.load("sample:AAPL"), ms.strategy("EmaCrossStrategy", fast=10)
    usual: dict[str, Any] = {
        "costs": ms.Costs(), "sizing": ms.Sizing.percent(1.0), "cash": 1e5, "fill": "next_open", "engine": "fast",
    }  # fmt: skip

    def ident(bars: ms.Bars = bars, rule: Any = rule, **changed: Any) -> str:
        return BacktestSpec.of(bars, rule, **{**usual, **changed}).id

    others = {
        ident(bars=bars[:-1]), ident(rule=ms.strategy("EmaCrossStrategy", fast=11)), ident(costs=ms.Costs(0.01)),
        ident(sizing=ms.Sizing.percent(0.5)), ident(cash=5e4), ident(fill="close"), ident(engine="backtrader"),
        ident(rule=ms.strategy("RSIStrategy")),
    }  # fmt: skip
    assert len(others) == 8
    assert ident() == ident() not in others


def change(text: bytes) -> bytes:
    return text.replace(b'"final_equity": ', b'"final_equity": 1')


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("equity.parquet", lambda content: content[:-1] + b"x", "not what was written"),
        ("manifest.json", change, "changed after it was written"),
        ("manifest.json", lambda content: content[:100], "damaged"),
        ("manifest.json", lambda content: b'{"id": 1}', "damaged"),
    ],
)
def test_damage_is_noticed(name: str, damage: Callable[[bytes], bytes], words: str, tmp_path: Path) -> None:
    store = stored(ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy"), tmp_path)
    path = store.folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError, match=words) as caught:
        store.load()
    assert "run the backtest again" in str(caught.value)


def test_missing_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no backtest in"):
        BacktestStore(tmp_path, "0" * 16).load()
    store = stored(ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy"), tmp_path)
    (store.folder / "bars.parquet").unlink()
    with pytest.raises(RunError, match=r"bars.parquet is damaged"):
        store.load()


def test_without_the_strategy_the_numbers_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy")
    store = stored(own, tmp_path)

    def gone(name: str) -> Any:
        raise ms.errors.StrategyError(f"no {name}")

    monkeypatch.setattr("maestro.runs.backtests.by_name", gone)
    again = store.load()
    assert again.strategy is None
    assert again.metrics == own.metrics
    with pytest.raises(RunError, match="install the same version"):
        _ = again.signals


def test_backtests_are_listed_and_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    bars = ms.load_sample("AAPL")
    stores = [stored(ms.backtest(bars, "EmaCrossStrategy", params={"fast": fast}), tmp_path) for fast in range(10, 30)]
    (stores[0].folder / "equity.parquet").unlink()  # only manifests are read
    (stores[1].folder / "manifest.json").write_text("{}")
    table = list_backtests(tmp_path)
    assert table["status"].value_counts().sort("count").rows() == [("damaged", 1), ("done", 19)]
    row = table.row(by_predicate=pl.col("id") == stores[2].id, named=True)
    own = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 12})
    assert (row["strategy"], row["engine"], row["sharpe_ratio"]) == (
        "EmaCrossStrategy", "fast", own.metrics["sharpe_ratio"],
    )  # fmt: skip
    found = find_backtest(stores[3].id[:10], tmp_path)
    assert found is not None
    assert found.id == stores[3].id
    assert find_backtest("", tmp_path) is None
    common = next(store.id for store in stores if sum(other.id[0] == store.id[0] for other in stores) > 1)[0]
    with pytest.raises(RunError, match=f"backtests begin with '{common}' .*give more of the id"):
        find_backtest(common, tmp_path)
