"""Progress of a reliability run: an interrupted one goes on where it was, and a process that dies is a failure."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability import progress, table


def test_an_interrupted_run_does_not_repeat_what_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def area(name: str, output: str) -> table.Area:
        def tried(tries: int, folder: Path) -> Iterator[str]:
            """Do nothing."""
            calls.append(name)
            if name == "interrupted" and calls.count(name) == 1:
                raise KeyboardInterrupt
            yield output

        return tried

    output = {"holds": "", "broken": "it broke", "interrupted": ""}
    monkeypatch.setattr(table, "AREAS", {name: (1, area(name, words)) for name, words in output.items()})
    monkeypatch.setattr(table, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(progress, "FINISHED", tmp_path / "finished.json")
    monkeypatch.setattr(progress, "state_of_code", lambda: "this code")
    with pytest.raises(KeyboardInterrupt):
        table.main(["--processes", "1"])
    assert list(json.loads(progress.FINISHED.read_bytes())["areas"]) == ["holds"]
    assert progress.kept("other code") == ({}, 0.0)
    assert not table.PAGE.exists()
    assert table.main(["--processes", "1"]) == 1
    assert calls == ["holds", "broken", "interrupted", "broken", "interrupted"]
    assert table.PAGE.read_text(encoding="utf-8").count("| Do nothing |") == 3
    assert capsys.readouterr().out.rstrip().endswith("failures in broken")
    assert not progress.FINISHED.exists()


def test_an_area_whose_process_dies_has_failed(capfd: pytest.CaptureFixture[str]) -> None:
    tried = progress.apart(("dying", 1), os._exit)  # type: ignore[arg-type]  # ends by an error: it takes one number
    assert (tried.failures, tried.what) == (1, "dying: its process ended with code 1")
    assert "TypeError" in capfd.readouterr().err
