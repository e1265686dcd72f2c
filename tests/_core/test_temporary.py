"""Temporary folders of killed processes are removed by the next one; those of living processes stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from maestro._core.temporary import new_folder, temporary_folder

_KILLED = """
import os, signal, sys, tempfile
tempfile.tempdir = sys.argv[1]
from maestro._core.temporary import new_folder
(new_folder("bars") / "shared.pickle").write_bytes(b"x" * 1000)
os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    living = new_folder("studies")
    foreign = [tmp_path / name for name in ("maestro-bars-notes", "maestro-bars-00000000-1-a", "other")]
    for folder in foreign:
        folder.mkdir()
    assert subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False).returncode != 0
    [left] = set(tmp_path.iterdir()) - {living, *foreign}
    assert (left / "shared.pickle").stat().st_size == 1000
    if os.name == "posix":  # a link with such a name is not followed, and its target stays
        (tmp_path / left.name.replace("bars", "linked")).symlink_to(foreign[0])
    with temporary_folder("report") as mine:
        assert mine.is_dir()
        assert not left.exists()
    assert not mine.exists()
    assert {living, *foreign} <= set(tmp_path.iterdir())


def test_any_command_removes_them(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert len(list(tmp_path.glob("maestro-bars-*"))) == 1
    command = [sys.executable, "-m", "maestro", "config"]
    places = {name: str(tmp_path) for name in ("TMPDIR", "TEMP", "TMP")}
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **places})
    assert list(tmp_path.glob("maestro-bars-*")) == []
