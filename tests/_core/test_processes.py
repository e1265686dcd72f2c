"""Whether a process is running."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from maestro._core.processes import host_id, is_running
from tests.support.processes import ended_process


def test_a_process_is_running_until_it_has_ended() -> None:
    assert is_running(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_running(child.pid)
    child.communicate(b"\n")
    assert not is_running(child.pid)
    assert not is_running(ended_process())


def test_numbers_that_no_process_has_are_not_running() -> None:
    assert not is_running(0)
    assert not is_running(-1)
    assert not is_running(2**80)


def test_the_machine_has_one_short_name() -> None:
    assert re.fullmatch("[0-9a-f]{8}", host_id())
    assert host_id() == host_id()
