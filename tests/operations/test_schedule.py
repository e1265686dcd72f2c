"""Tasks run when they are due, one at a time; one that fails is tried again; a stop ends a running command."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.errors import SettingsError
from maestro.operations.schedule import Schedule, Task, options, scheduled
from maestro.service.last_backup import FILE, record_backup
from tests.operations.backup.conftest import System
from tests.operations.backup.conftest import system as system  # the fixture
from tests.support.patience import GIVE_UP


def wait_for(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + GIVE_UP
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@contextmanager
def running(*tasks: Task) -> Iterator[Schedule]:
    schedule = Schedule(list(tasks))
    thread = threading.Thread(target=schedule.run)
    thread.start()
    try:
        yield schedule
    finally:
        schedule.stop()
        thread.join(GIVE_UP)
        assert not thread.is_alive()


def ended(caplog: pytest.LogCaptureFixture, word: str) -> list[logging.LogRecord]:
    return [record for record in list(caplog.records) if record.message == word]


def test_tasks_run_again_and_again_and_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "maestro.operations.schedule")
    good, bad = Task(("--version",), 0.1), Task(("nonesuch",), 0.1)
    with running(good, bad):
        wait_for(lambda: len(ended(caplog, "done")) >= 2 and len(ended(caplog, "failed")) >= 2)
    assert {vars(record)["command"] for record in ended(caplog, "done")} == {"maestro --version"}
    for record in ended(caplog, "failed"):
        found = vars(record)
        assert (found["command"], found["exit_code"]) == ("maestro nonesuch", 2)
        assert "there is no command 'nonesuch'" in found["output"]


def test_a_task_that_is_not_due_does_not_run_and_a_stop_is_prompt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "maestro.operations.schedule")
    with running(Task(("--version",), 3_600.0, due=3_600.0)):
        wait_for(lambda: ended(caplog, "schedule started"))
    assert not ended(caplog, "started")
    assert ended(caplog, "schedule ended")


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_a_stop_ends_a_running_command(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.INFO, "maestro.operations.schedule")
    with running(Task(("worker", "--folder", str(tmp_path)), 3_600.0)):
        wait_for(lambda: list(tmp_path.glob("workers/*")))
    assert len(ended(caplog, "done") + ended(caplog, "stopped")) == 1
    assert not list(tmp_path.glob("workers/*"))


def test_the_first_backup_is_due_when_the_newest_is_old_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    service = tmp_path / "service"
    settings = dataclasses.replace(settings, service=dataclasses.replace(settings.service, folder=service))

    def due() -> float:
        fetch, backup = scheduled(settings, "1d", "30m", 7)
        assert (fetch.name, fetch.every, fetch.due) == ("maestro data fetch --all --quiet", 1_800.0, 0.0)
        assert (backup.name, backup.every) == ("maestro backup create --keep 7", 86_400.0)
        return backup.due

    assert due() == 0.0
    for hours, low, high in ((30, 0, 0), (20, 3, 4), (-5, 24, 24)):  # the last: the clock was ahead
        record_backup(service, "b", datetime.now(UTC) - timedelta(hours=hours))
        assert low * 3_600 <= due() <= high * 3_600
    (service / FILE).write_text("{}")
    assert due() == 0.0
    assert options(settings, "1d", None, 7) == ["--backup", "1d", "--keep", "7"]
    assert options(settings, None, None, None) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None, None), "nothing is scheduled"),
        ((None, "1h", 3), "--keep 3 is for backups"),
        (("1 day", None, None), "the interval '1 day' is not understood"),
        (("0h", None, None), "the interval '0h' is not understood"),
    ],
)
def test_bad_intervals_are_refused(given: tuple[str | None, str | None, int | None], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        scheduled(load_settings(), *given)


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_the_command_backs_up_at_once_and_ends_on_sigterm(system: System) -> None:
    log = system.folder / "schedule.log"
    line = [sys.executable, "-m", "maestro", "schedule", "--backup", "1d", "--fetch", "1h", "--keep", "2"]
    with open(log, "w") as target:
        process = subprocess.Popen(line, cwd=system.folder, stderr=target)
    try:
        wait_for(lambda: log.read_text().count("exit_code") == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GIVE_UP) == 0
    finally:
        process.kill()
        process.wait()
    found = {
        each["command"]: each for line in log.read_text().splitlines() if "exit_code" in (each := json.loads(line))
    }
    assert found["maestro backup create --keep 2"]["exit_code"] == 0
    assert found["maestro data fetch --all --quiet"]["exit_code"] == 0
    assert "nothing is stored of any source" in found["maestro data fetch --all --quiet"]["output"]
    assert len(system.vault().backups()[0]) == 1
