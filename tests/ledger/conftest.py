"""An empty folder of ledgers for every test of this package, and bars to try things on."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of ledgers, empty."""
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "books"))
    return ms.ledger.folder()


@pytest.fixture(scope="module")
def bars() -> ms.Bars:
    return ms.synthetic_bars(900, seed=3)
