"""Worker processes: the traceback of a worker is kept."""

from __future__ import annotations

import pytest

from maestro.execution.processes import Processes
from maestro.execution.protocol import (
    Task,
    run_tasks,
)
from tests.execution.tasks import fail


def test_the_traceback_of_a_worker_is_kept_as_a_note() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_tasks(Processes(2), [Task(fail, (ZeroDivisionError("by zero"),))]))
    assert any("in fail" in note and "In the worker" in note for note in caught.value.__notes__)
