"""``maestro runs tag``, ``note`` and ``pin`` write what the Runs app shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *words])
    return int(ended.value.code or 0)


def test_tags_note_and_pin_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings)
    where = ("--runs-dir", str(tmp_path))
    capsys.readouterr()
    assert run("tag", wf.id[:6], "to check", "momentum", *where) == 0
    assert capsys.readouterr().out == f"{wf.id}\ntags: momentum, to check\nnote: none\n"
    assert run("tag", wf.id, "momentum", "--remove", *where) == 0
    assert run("note", wf.id, "Fees are high", *where) == 0
    capsys.readouterr()
    assert run("pin", wf.id, *where, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"run": wf.id, "tags": ["to check"], "note": "Fees are high", "pinned": True}
    assert run("pin", wf.id, "--off", *where) == 0
    assert not ms.runs.annotations_of(wf.id, tmp_path).pinned
    assert run("tag", wf.id, "a,b", *where) != 0
    assert "'a,b' is not a tag" in " ".join(capsys.readouterr().err.split())
    assert run("note", "ffff", "x", *where) != 0
