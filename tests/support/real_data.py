"""Files of real market data: from beside the project, or the slices with a free licence that lie in it."""

from __future__ import annotations

import atexit
import gzip
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "data"
INSIDE = Path(__file__).parent / "real"


def real_path(name: str) -> Path:
    """Path of a file of real data; a test of one that is nowhere is skipped, saying so."""
    if (BESIDE / name).exists():
        return BESIDE / name
    if (INSIDE / name).exists():
        return INSIDE / name
    if (INSIDE / f"{name}.gz").exists():
        return _unpacked(name)
    pytest.skip(f"the real data is not here: {name} may not lie in the project and is expected in ../shared/data")


@cache
def _unpacked(name: str) -> Path:
    path = _folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.decompress((INSIDE / f"{name}.gz").read_bytes()))
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="maestro-real-data-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
