"""The signing keys: made for their user alone, refused if others can read them or if they are too short."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from maestro.errors import AccessError
from maestro.service.accounts import read_or_make_keys


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_key_is_made_for_its_user_alone_and_refused_where_others_can_read_it(tmp_path: Path) -> None:
    keys = read_or_make_keys(tmp_path)
    path = tmp_path / "service.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_keys(tmp_path) == keys
    path.chmod(0o644)
    with pytest.raises(AccessError, match="chmod 600"):
        read_or_make_keys(tmp_path)
    path.chmod(0o600)
    path.write_text('{"k": "short"}')
    with pytest.raises(AccessError, match="holds no key"):
        read_or_make_keys(tmp_path)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    code = "import sys, pathlib, maestro.service.accounts as a; print(a.read_or_make_keys(pathlib.Path(sys.argv[1])))"
    line = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    found = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 6
    assert found == {f"{read_or_make_keys(tmp_path)}\n"}


def test_a_process_killed_while_it_makes_the_key_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        read_or_make_keys(tmp_path)
    monkeypatch.undo()
    assert not (tmp_path / "service.key").exists()
    assert len(read_or_make_keys(tmp_path)) == 1
