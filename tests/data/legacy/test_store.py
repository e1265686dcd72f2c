"""The old database behind the protocol of stores: its rows are read, it is never written, and defects are named."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.config import load_settings
from maestro.data.stores import CachedStore, SeriesKey, Store, open_store
from maestro.errors import SettingsError, StoreError, StoreUnavailableError
from maestro.testing import ReadOnlyStoreContract
from tests.support.rethink.documents import documents
from tests.support.rethink.server import OldServer

Fill = Callable[[Mapping[str, list[dict[str, object]]]], str]


@pytest.fixture
def served() -> Iterator[Fill]:
    """Serves tables of documents; returns the address of their database."""
    running: list[tuple[OldServer, threading.Thread]] = []

    def serve(tables: Mapping[str, list[dict[str, object]]]) -> str:
        server = OldServer({"market": dict(tables)})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"rethinkdb://127.0.0.1:{server.server_address[1]}/market"

    yield serve
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def table(key: SeriesKey) -> str:
    return f"trade_{key.provider}_{key.symbol}_{key.timeframe}"


class TestRethinkStore(ReadOnlyStoreContract):
    @pytest.fixture(params=["plain", "cached"])
    def filled(self, request: pytest.FixtureRequest, served: Fill, tmp_path: Path) -> Iterator[Callable[..., Store]]:
        opened: list[Store] = []

        def fill(rows: Mapping[SeriesKey, pl.DataFrame]) -> Store:
            address = served({table(key): documents(frame) for key, frame in rows.items()})
            settings = load_settings()
            settings = replace(settings, cache=replace(settings.cache, path=tmp_path))
            opened.append(open_store(address, settings, cached=request.param == "cached"))
            return opened[-1]

        yield fill
        for store in opened:
            store.close()


def test_what_is_not_a_series_or_not_a_bar_is_left_out_and_logged(
    served: Fill, caplog: pytest.LogCaptureFixture
) -> None:
    rows = ms.synthetic_bars(20, seed=1).to_frame()
    spoilt = [*documents(rows), {"id": "zz", "timestamp": 1, "open": "x", "high": 1, "low": 1, "close": 1, "volume": 1}]
    store = open_store(served({"users": [], "trade_odd": [], "trade_BINANCE_BTCUSDT_1h": spoilt}), cached=False)
    with caplog.at_level(logging.WARNING, "maestro.data.legacy"):
        [info] = store.series()
        store.series()
        store.read(info.key)
    store.close()
    assert info.rows == 20
    assert len(caplog.messages) == 2
    assert "trade_odd is left out" in caplog.messages[0]
    assert "1 documents are left out" in caplog.messages[1]


def test_errors_are_those_of_stores(served: Fill) -> None:
    rows = documents(ms.synthetic_bars(3, seed=1).to_frame())
    twice = open_store(served({"trade_BINANCE_BTCUSDT_1h": rows, "trade_binance_btcusdt_60m": rows}), cached=False)
    with pytest.raises(StoreError, match="are both BINANCE:BTCUSDT:1h"):
        twice.series()
    twice.close()
    away = open_store("rethinkdb://127.0.0.1:9/market", cached=False)
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        away.series()
    with pytest.raises(SettingsError, match="give rethinkdb://"):
        open_store("rethinkdb:market")


def test_bars_are_loaded_through_the_cache(served: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ms.synthetic_bars(300, seed=1).to_frame()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAESTRO_CACHE_PATH", str(tmp_path / "cache"))
    monkeypatch.setenv("MAESTRO_STORE", served({"trade_BINANCE_BTCUSDT_1h": documents(frame)}))
    assert isinstance(open_store().store, CachedStore)  # type: ignore[attr-defined]
    assert (ms.load("BINANCE:BTCUSDT:1h").close == frame["close"].to_numpy()).all()
