"""Locks on files: one holder among threads and processes, waiting, the holder's name, and killed holders."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from maestro._core.locks import holder, is_held, locked

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from maestro._core.locks import locked
with locked(Path(sys.argv[1]), RuntimeError):
    print("held", flush=True)
    time.sleep(600)
"""


class Refused(Exception):
    """Carries the description of the holder."""


def test_a_second_holder_in_this_process_is_refused_at_once_with_the_name_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    with locked(path, Refused):
        assert is_held(path)
        output = rf"^process {os.getpid()} on .+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"
        with pytest.raises(Refused, match=output), locked(path, Refused):
            raise AssertionError("two hold one lock")
        with locked(tmp_path / "other", Refused):
            pass
    with locked(path, Refused):
        pass
    assert path.exists()  # the file stays
    assert not is_held(path)


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def work() -> None:
        with locked(path, Refused, wait=60.0):
            order.append("second")

    with locked(path, Refused):
        late = threading.Thread(target=work)
        late.start()
        time.sleep(0.1)
        order.append("first")
    late.join()
    assert order == ["first", "second"]


def test_threads_that_share_a_lock_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path, counter = tmp_path / "lock", tmp_path / "counter"
    counter.write_text("0")

    def work() -> None:
        for _ in range(20):
            with locked(path, Refused, wait=60.0):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "80"


def test_another_process_is_refused_and_the_lock_of_a_killed_one_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Refused, match=f"process {child.pid} on "), locked(path, Refused, wait=0.05):
            raise AssertionError("two processes hold one lock")
        assert is_held(path)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert str(child.pid) in holder(path), "a killed process leaves its name"
    assert not is_held(path)
    with locked(path, Refused):
        assert holder(path).startswith(f"process {os.getpid()} on ")


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(path, Refused):
        raise ZeroDivisionError
    with locked(path, Refused):
        pass


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path: Path) -> None:
    assert holder(tmp_path / "missing") == "another process"
    (tmp_path / "empty").write_bytes(b"")
    assert holder(tmp_path / "empty") == "another process"


def test_a_lock_file_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), locked(tmp_path / "file" / "lock", Refused):
        raise AssertionError("there is no lock")
