"""Every store and every wrapper of Maestro's own keeps the contract of stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maestro.data.stores import CachedStore, MemoryStore, ParquetStore, QuestDBStore, RecentStore, Store
from maestro.testing import StoreContract
from tests.support.questdb import PASSWORD, USER

LOCAL = ["memory", "parquet", "cached_memory", "cached_parquet", "always_asking", "recent_memory", "recent_parquet",
         "recent_cached"]  # fmt: skip
SERVER = ["questdb", "cached_questdb", "recent_cached_questdb"]


def opened(kind: str, tmp_path: Path, inner: Callable[[], Store]) -> Iterator[Callable[[], Store]]:
    made: list[Store] = []

    def make() -> Store:
        store = inner()
        if "cached" in kind or kind == "always_asking":
            store = CachedStore(store, tmp_path / "cache", max_age=0 if kind == "always_asking" else 3600)
        made.append(RecentStore(store) if kind.startswith("recent") else store)
        return made[-1]

    yield make
    for store in made:
        store.close()


class TestLocalStores(StoreContract):
    @pytest.fixture(params=LOCAL)
    def open_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        kind, memory = request.param, MemoryStore()  # memory: the same object at every call

        def inner() -> Store:
            return ParquetStore(tmp_path / "store") if "parquet" in kind or kind == "recent_cached" else memory

        yield from opened(kind, tmp_path, inner)


@pytest.mark.questdb
class TestServerStores(StoreContract):
    changes = 8

    @pytest.fixture(params=SERVER)
    def open_store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        server = request.getfixturevalue("questdb")
        yield from opened(request.param, tmp_path, lambda: QuestDBStore(server.url, user=USER, password=PASSWORD))
