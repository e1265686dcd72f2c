"""``maestro verdict``: as text and JSON, preliminary, kept, and refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main
from maestro.validation.verdict.checks import CHECKS


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    return ms.walk_forward(
        ms.load("sample:AAPL"), "EmaCrossStrategy", trials=4, workers=1, runs_dir=tmp_path_factory.mktemp("r")
    )


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def test_preliminary_at_once_then_all_checks_which_are_kept(
    wf: ms.WalkForward, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(wf.folder)
    assert run("verdict", folder, "--preliminary") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"PRELIMINARY: {wf.verdict.conclusion.upper()}")
    assert "? Not done yet: Break-even costs" in text
    assert not (Path(folder) / "verdict.json").exists()
    assert run("verdict", folder, "--permutations", "2", "--workers", "1", "--no-progress") == 0
    text = capsys.readouterr().out
    assert "Is it more than luck?" in text
    assert "What would change it" in text
    kept = ms.load_run(folder).verdict
    assert kept.settings["permutations"] == 2
    assert run("verdict", folder, "--permutations", "2", "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["conclusion"] == kept.conclusion
    assert len(document["checks"]) == len(CHECKS.builtin)


@pytest.mark.parametrize("words", [["nothing-here"], ["RUN", "--start", "2020"]])
def test_what_is_refused(wf: ms.WalkForward, words: list[str]) -> None:
    assert run("verdict", *(str(wf.folder) if word == "RUN" else word for word in words)) in (1, 2)


def test_help_loads_nothing_heavy() -> None:
    code = """
import sys
from maestro.cli import main
try:
    main(["verdict", "--help"])
except SystemExit:
    pass
assert "numpy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
