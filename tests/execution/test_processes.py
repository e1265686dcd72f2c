"""Worker processes: the traceback of a worker is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maestro.execution import processes
from maestro.execution.processes import Processes, start_early, warm
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from tests.execution.tasks import fail
from tests.support.patience import GIVE_UP


def test_the_traceback_of_a_worker_is_kept_as_a_note() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_tasks(Processes(2), [Task(fail, (ZeroDivisionError("by zero"),))]))
    assert any("in fail" in note and "In the worker" in note for note in caught.value.__notes__)


def loaded(shared: object, context: TaskContext, module: str) -> bool:
    """Whether the worker has imported a module."""
    return module in sys.modules


def test_prepared_workers_have_imported_what_they_will_run() -> None:
    start_early(2)
    assert warm()
    task = Task(loaded, ("maestro.walkforward.fold",))
    assert all(results_of(run_tasks(Processes(2), [task] * 8)))


LEAVES = """
import atexit, pathlib, sys
from maestro.execution.processes import Processes
from maestro.execution.protocol import Task, run_tasks

def remember(shared, context, path):
    atexit.register(pathlib.Path(path).touch)

if __name__ == "__main__":
    list(run_tasks(Processes(1), [Task(remember, (sys.argv[1],))]))
"""


def test_what_a_task_leaves_for_the_end_of_its_worker_is_done(tmp_path: Path) -> None:
    """Workers leave without taking the interpreter down, which comes after such functions."""
    script, left = tmp_path / "leaves.py", tmp_path / "left"
    script.write_text(LEAVES)
    subprocess.run([sys.executable, str(script), str(left)], check=True, timeout=GIVE_UP)
    assert left.is_file()


def test_workers_in_use_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    running = run_tasks(Processes(2), [Task(loaded, ("maestro",))] * 4)
    next(running)
    monkeypatch.setattr(processes, "_pool", None)  # calling it would fail
    start_early(2)
    assert len(list(running)) == 3
