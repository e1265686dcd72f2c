"""``--store`` opens a store without kept rows and closes it whatever happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro.cli.data.target import opened


def test_the_store_is_asked_without_a_cache_and_closed_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    class Store:
        def close(self) -> None:
            seen.append("closed")

    def open_store(text: str | None, settings: Any) -> Store:
        seen.append((text, settings.cache.max_age))
        return Store()

    monkeypatch.setenv("MAESTRO_CACHE_PATH", str(tmp_path))
    monkeypatch.setattr("maestro.data.stores.open_store", open_store)
    with pytest.raises(ZeroDivisionError), opened("rows"):
        raise ZeroDivisionError
    assert seen == [("rows", 0.0), "closed"]


def test_a_folder_is_a_store(tmp_path: Path) -> None:
    with opened(str(tmp_path / "store")) as store:
        assert store.series() == []
