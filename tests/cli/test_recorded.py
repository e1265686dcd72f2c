"""A recorded run is found by the beginning of its id; a missing one is bad input, which exits with 2."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.cli.recorded import opened_run
from maestro.errors import SettingsError


def test_a_run_has_newer_bars_only_if_they_are_passed(tmp_path: Path) -> None:
    bars = ms.load_sample("AAPL")
    made = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:2,2,1", trials=2, workers=1, runs_dir=tmp_path)
    wf, given, cls = opened_run(made.id[:8], None, None, None, tmp_path)
    assert (wf.id, given, cls) == (made.id, None, None)
    _, given, _ = opened_run(made.id, "sample:AAPL", None, None, tmp_path)
    assert given.fingerprint == bars.fingerprint


def test_a_run_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no run 'zzz'"):
        opened_run("zzz", None, None, None, tmp_path)
