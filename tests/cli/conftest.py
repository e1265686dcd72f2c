"""Fixtures of the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from tests.cli.commands import Done


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        out, err = capsys.readouterr()
        return Done(int(left.value.code or 0), out, err)

    return call


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    """A run on the years of sample:AAPL before 2010, kept on disk; `sample:AAPL` has newer bars than it."""
    return ms.walk_forward(
        ms.load("sample:AAPL", end="2010"), "EmaCrossStrategy", splitter="rolling:4,2,1", trials=8, workers=1,
        runs_dir=tmp_path_factory.mktemp("runs"),
    )  # fmt: skip
