"""Fixtures: a folder with nothing set, and an installed plug-in with a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config.settings import schema, variable


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below another one; the working directory is the lower one."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    for name in [variable(setting) for setting in schema()]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path
