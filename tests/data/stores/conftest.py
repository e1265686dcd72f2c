"""Fixtures of stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.data.stores import CachedStore
from tests.data.stores.watched import KEY, Clock, Watched, rows


@pytest.fixture
def store() -> Watched:
    made = Watched()
    made.append(KEY, rows(0, 100))
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(store: Watched, clock: Clock, tmp_path: Path) -> CachedStore:
    return CachedStore(store, tmp_path, max_age=60, clock=clock)
