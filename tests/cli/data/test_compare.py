"""``maestro data compare`` compares the old database with a new store, row by row."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.cli import _run
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from tests.support.rethink.documents import documents
from tests.support.rethink.server import OldServer

KEY = SeriesKey("BINANCE", "BTCUSDT", "1h")
FRAME = ms.synthetic_bars(100, seed=1).to_frame()


@pytest.fixture
def old() -> Iterator[str]:
    server = OldServer({"market": {"trade_BINANCE_BTCUSDT_1h": documents(FRAME)}})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"rethinkdb://127.0.0.1:{server.server_address[1]}/market"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_old_database_and_a_new_store_from_the_shell(
    old: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_CACHE_PATH", str(tmp_path / "cache"))
    place = str(tmp_path / "store")
    store = ParquetStore(Path(place))
    assert _run(["data", "compare", old, place]) == 1
    capsys.readouterr()
    store.append(KEY, FRAME)
    assert _run(["data", "compare", old, place]) == 0
    assert "equal" in capsys.readouterr().out
    store.delete(KEY, stamps=FRAME["timestamp"][:1])
    assert _run(["data", "compare", old, place, "--json"]) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert not found["equal"]
    assert found["series"][0]["only_first"] == 1
    assert _run(["data", "compare", str(tmp_path / "nothing"), place]) == 2
    assert "nothing to compare" in capsys.readouterr().err
    assert _run(["data", "compare", old, place, "--series", str(KEY), "--from", "1971"]) == 1
