"""Stores are opened as configured."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from maestro.config import load_settings
from maestro.data.stores import (
    CachedStore,
    ParquetStore,
    QuestDBStore,
    RecentStore,
    configured_store,
    open_store,
    opening,
)
from maestro.errors import SettingsError
from tests.support.patience import GIVE_UP
from tests.support.settings import write_settings


def test_a_store_is_opened_as_configured(project: Path) -> None:
    settings = load_settings(env={"MAESTRO_STORE": str(project / "rows")})
    store = open_store(None, settings)
    assert isinstance(store, RecentStore)
    assert isinstance(store.store, ParquetStore)
    assert store.store.root == store.root == project / "rows"
    env = {"MAESTRO_STORE": "questdb", "MAESTRO_QUESTDB_URL": "http://here:9001", "MAESTRO_CACHE_PATH": str(project)}
    store = open_store(None, load_settings(env={**env, "MAESTRO_CACHE_MAX_AGE": "5m"}))
    assert isinstance(store, RecentStore)
    assert isinstance(store.store, CachedStore)
    assert store.store.max_age == 300
    assert store.name == "questdb:http://here:9001"
    assert isinstance(open_store(None, load_settings(env=env), cached=False), QuestDBStore)
    store = open_store("questdbs://me:p%40ss@there", load_settings(env={**env, "MAESTRO_CACHE_ENABLED": "false"}))
    assert isinstance(store.store, QuestDBStore)  # type: ignore[attr-defined]
    assert store.name == "questdb:https://there:9000"
    assert "p@ss" not in repr(store)
    assert open_store("parquet:x", settings).name == f"parquet:{Path.cwd() / 'x'}"
    assert open_store("parquet", settings).name == f"parquet:{Path.home() / '.local/share/maestro'}"


@pytest.mark.parametrize("target", ["postgres://x", "questdb://", "questdb://h/path", "questdb:h", "", "parquet:"])
def test_no_such_store(project: Path, target: str) -> None:
    with pytest.raises(SettingsError, match=r"store .*[Gg]ive"):
        open_store(target)


def test_the_configured_store_stays_while_the_settings_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(project, "store: rows")
    store = configured_store()
    assert configured_store() is store
    monkeypatch.setenv("MAESTRO_STORE", "other")
    assert configured_store() is not store


def test_threads_that_are_the_first_open_one_store(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(project, "store: rows")
    begin, opened, real = threading.Barrier(4), [], opening.open_store

    def slow(*args: Any) -> Any:
        opened.append(args)
        time.sleep(0.05)
        return real(*args)

    def first() -> Any:
        begin.wait(GIVE_UP)
        return configured_store()

    monkeypatch.setattr(opening, "open_store", slow)
    with ThreadPoolExecutor(4) as threads:
        stores = [asked.result(GIVE_UP) for asked in [threads.submit(first) for _ in range(4)]]
    assert len(opened) == len({id(store) for store in stores}) == 1
