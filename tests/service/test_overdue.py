"""A worker that does not stop after SIGTERM is ended, and its job is back in the queue with no attempt lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from maestro.service.jobs import Database, Job, Queue

WORKER = """
import signal, sys, time
from pathlib import Path
from maestro.service.heartbeat import Heartbeat
from maestro.service.jobs import Database, Leases
from maestro.service.overdue import overdue_guard

folder, deaf = Path(sys.argv[1]), sys.argv[2] == "deaf"
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
with overdue_guard(folder, "w", grace=0.5 if deaf else 600):
    assert Leases(Database(folder), "w").claim()
    Heartbeat(folder, "w").begin()
    print("ready", flush=True)
    while deaf or not asked:
        time.sleep(0.01)
"""


@pytest.mark.parametrize(("hears", "code"), [("deaf", -9), ("hears", 0)])
def test_a_worker_ends_after_sigterm(
    hears: str, code: int, submit: Callable[..., Job], database: Database, queue: Queue
) -> None:
    job = submit()
    line = [sys.executable, "-c", WORKER, str(database.folder), hears]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        assert queue.get(job.id).state == "running"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == code
    found = queue.get(job.id)
    if hears == "deaf":
        assert (found.state, found.attempts) == ("queued", 0)
        assert queue.events(job.id)[-1].kind == "requeued"
    else:  # it would have given it back itself
        assert found.state == "running"
