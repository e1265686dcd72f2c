"""A disk that refuses: the runs folder cannot be made or is full, and nothing is left half written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import RunError
from tests.runs.test_store import ROOT
from tests.support.rules import RISING, THREE, Cross, same


def test_a_runs_folder_that_is_a_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match=r"cannot create .*runs.*; give a runs_dir that is a folder"):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path / "runs")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, in which nobody can make a folder")
def test_a_runs_folder_in_which_nothing_can_be_made_is_named_with_a_remedy() -> None:
    with pytest.raises(RunError, match=r"cannot create /proc/.*; give "):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir="/proc/runs")


FULL = """
import resource, signal, sys
sys.path.insert(0, {root!r})
import maestro as ms
from maestro.errors import RunError
from tests.support.processes import ended_process
from tests.support.rules import RISING, THREE, Cross

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
try:
    ms.walk_forward(RISING, Cross, **THREE, runs_dir=sys.argv[1], executor="serial")
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [100, 6_000, 20_000])
def test_a_disk_that_fills_is_reported_and_leaves_nothing_half_written(
    tmp_path: Path, reference: ms.WalkForward, limit: int
) -> None:
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", FULL.format(root=str(ROOT), limit=limit), str(tmp_path)], capture_output=True, text=True,
        cwd=ROOT, timeout=120, check=False, env={**os.environ, "NUMBA_DISABLE_JIT": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cannot write" in done.stdout
    assert "free some space and run again: finished folds are kept." in done.stdout
    assert list(tmp_path.rglob("*.part")) == []
    wf = ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path)
    assert same(wf, reference)
    assert not any("The file of fold" in note for note in wf.notes)
