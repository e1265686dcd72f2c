"""The harness of kills: it finds a half-written file, a lost result, a raw error and a file that was left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability import kills
from benchmarks.reliability.forks import Ended
from benchmarks.reliability.kills import Case, killed, nothing, when_there

CASE = Case(("write", "out"), nothing, when_there("out", lambda path: path.read_text()))


class Command:
    """A command that writes ``whole`` to a file, and does what a test says when it is killed and run again."""

    def __init__(self, when_killed: str = "", again: str = "whole", code: int = 0, output: str = "") -> None:
        self.when_killed, self.again, self.code, self.output = when_killed, again, code, output
        self.stopped = False

    def run(
        self, words: Sequence[object], folder: Path, environment: Mapping[str, str], kill_after: float | None = None
    ) -> Ended:
        if kill_after is not None:
            self.stopped = True
            if self.when_killed:
                (folder / self.when_killed).write_text("half")
            return Ended(-9, 0.1, "")
        (folder / "out").write_text(self.again if self.stopped else "whole")
        code, output = (self.code, self.output) if self.stopped else (0, "")
        self.stopped = False
        return Ended(code, 0.1, output)


def output(monkeypatch: pytest.MonkeyPatch, folder: Path, command: Any, case: Case = CASE) -> str:
    monkeypatch.setattr(kills, "forks", lambda: command)
    [found] = killed(1, folder, case)
    return found


def test_a_command_that_goes_on_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert output(monkeypatch, tmp_path, Command()) == ""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Command(when_killed="out"), "in between: 'half'"),
        (Command(again="less"), "another result: 'less'"),
        (Command(code=1, output="the disk is full"), "exit code 1: the disk is full"),
        (Command(output="Traceback (most recent call last)"), "Traceback (most recent call last)"),
        (Command(when_killed=".out.part"), "left ['.out.part']"),
    ],
)
def test_a_failure_is_found(
    command: Command, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    assert output(monkeypatch, tmp_path, command) == expected


def test_a_command_that_changes_nothing_is_not_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case = Case(("write", "out"), nothing, lambda place: "always the same")
    with pytest.raises(RuntimeError, match="changes nothing that is compared"):
        output(monkeypatch, tmp_path, Command(), case)
