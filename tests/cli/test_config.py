"""`maestro config` shows values, origins and the costs of venues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro.cli import _run
from maestro.config import VENUES
from tests.support.settings import write_settings


def test_config_shows_values_and_origins(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(project, "search:\n  trials: 250")
    monkeypatch.setenv("MAESTRO_SEARHC_SEED", "1")
    assert _run(["config"]) == 0
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith("search.trials"))
    assert row.split() == ["search.trials", "250", "maestro.yaml:2"]
    assert "Did you mean 'MAESTRO_SEARCH_SEED'" in " ".join(shown.split())
    assert _run(["config", "search", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found["settings"]] == [
        "search.method",
        "search.trials",
        "search.seed",
        "search.workers",
    ]
    assert found["settings"][1]["variable"] == "MAESTRO_SEARCH_TRIALS"
    assert _run(["config", "nothing"]) == 2
    assert "no setting's name contains 'nothing'" in capsys.readouterr().err


def test_config_shows_the_venues(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(project, "costs: {DESK: {taker: 0.0001}}")
    assert _run(["config", "--venues", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(found) == [*VENUES, "DESK"]
    assert found["BITMEX"]["date"] == VENUES["BITMEX"].date
    assert _run(["config", "--venues"]) == 0
    assert "0.01 %" in capsys.readouterr().out


def test_a_wrong_file_ends_the_command_with_two(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(project, "storr: x")
    assert _run(["config"]) == 2
    assert "maestro.yaml:1: 'storr' is not a setting" in capsys.readouterr().err
