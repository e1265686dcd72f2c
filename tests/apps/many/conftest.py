"""A result of many walk-forwards that the tests of its app share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maestro as ms

SETTINGS: dict[str, Any] = {"splitter": "calendar:6mo,2mo", "trials": 3, "executor": "serial",
                            "space": {"fast": (2, 6), "slow": (7, 20)}}  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the runs of one result: five series, and one that is too short."""
    place = tmp_path_factory.mktemp("many") / "runs"
    series = {**{f"S{k}": ms.synthetic_bars(500, k, "1d") for k in range(5)}, "SHORT": ms.synthetic_bars(40, 9, "1d")}
    ms.walk_forward_many(series, "EmaCrossStrategy", runs_dir=place, **SETTINGS)
    return place
