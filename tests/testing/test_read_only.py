"""The contract of a read-only store passes for a store that keeps it and fails for one that can be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

import polars as pl
import pytest

from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.errors import StoreAccessError
from maestro.testing import ReadOnlyStoreContract


class OnlyRead(MemoryStore):
    """A store in memory that is filled once."""

    def __init__(self, frames: Mapping[SeriesKey, pl.DataFrame]) -> None:
        super().__init__()
        for key, frame in frames.items():
            super().append(key, frame)

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        return super().read(key, start, end).clone()

    def append(self, *arguments: object) -> NoReturn:  # type: ignore[override]
        raise StoreAccessError("this store is only read")

    def delete(self, *arguments: object, **options: object) -> NoReturn:  # type: ignore[override]
        raise StoreAccessError("this store is only read")


class TestOnlyRead(ReadOnlyStoreContract):
    @pytest.fixture
    def filled(self) -> Callable[[Mapping[SeriesKey, pl.DataFrame]], Store]:
        return OnlyRead


def test_a_store_that_can_be_written_breaks_the_contract() -> None:
    def filled(frames: Mapping[SeriesKey, pl.DataFrame]) -> Store:
        store = MemoryStore()
        for key, frame in frames.items():
            store.append(key, frame)
        return store

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        ReadOnlyStoreContract().test_writing_is_refused_and_changes_nothing(filled)
