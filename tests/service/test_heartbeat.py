"""A worker shows that it lives, says when it ends, and a killed one counts as lost until another takes its place."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from maestro.cli import _run
from maestro.service.heartbeat import ALIVE, FOLDER, FORGOTTEN, Heartbeat, count_workers
from maestro.service.jobs import Database
from tests.service.test_worker import start_worker, wait_for
from tests.support.patience import GIVE_UP


def age(folder: Path, name: str, seconds: float) -> None:
    """Put the last beat of a worker into the past."""
    at = time.time() - seconds
    os.utime(folder / FOLDER / name, (at, at))


def test_workers_are_counted_and_replaced(tmp_path: Path) -> None:
    assert count_workers(tmp_path) == (0, 0)
    for name in "abc":
        Heartbeat(tmp_path, name).begin()
    assert count_workers(tmp_path) == (3, 0)
    Heartbeat(tmp_path, "c").end()
    age(tmp_path, "a", ALIVE + 1)
    age(tmp_path, "b", ALIVE + 5)
    assert count_workers(tmp_path) == (0, 2)
    Heartbeat(tmp_path, "d").begin()  # in the place of one
    assert count_workers(tmp_path) == (1, 1)
    assert not (tmp_path / FOLDER / "b").exists()
    Heartbeat(tmp_path, "a").beat()
    assert count_workers(tmp_path) == (2, 0)


def test_a_lost_worker_is_forgotten_after_a_day(tmp_path: Path) -> None:
    for name in "abc":
        Heartbeat(tmp_path, name).begin()
        age(tmp_path, name, FORGOTTEN + 1)
    assert count_workers(tmp_path) == (0, 0)
    Heartbeat(tmp_path, "d").begin()
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["d"]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_worker_is_lost_and_an_ended_one_is_not(database: Database) -> None:
    folder = database.folder
    assert _run(["worker", "--check", "--folder", str(folder)]) == 1
    processes = [start_worker(folder), start_worker(folder)]
    try:
        wait_for(lambda: count_workers(folder) == (2, 0))
        assert _run(["worker", "--check", "--folder", str(folder)]) == 0
        processes[0].send_signal(signal.SIGTERM)
        processes[0].wait(GIVE_UP)
        assert count_workers(folder) == (1, 0)
        processes[1].kill()
        processes[1].wait(GIVE_UP)
        [left] = (folder / FOLDER).iterdir()
        age(folder, left.name, ALIVE + 1)
        assert count_workers(folder) == (0, 1)
    finally:
        for process in processes:
            process.kill()
            process.wait(GIVE_UP)
