"""An engine that says nothing refuses nothing, and one without a run cannot be made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.engine.protocol import Engine, EngineRun, Task

TASK = Task(ms.synthetic_bars(5), None, ms.Signals(np.zeros(5, bool)), ms.Costs(), ms.Sizing.units(1), 1e5, "next_open")


class Idle(Engine):
    name = "idle"

    def run(self, task: Task) -> EngineRun:
        n = len(task.bars)
        return EngineRun([], np.full(n, task.cash), np.zeros(n))


def test_an_engine_refuses_nothing_by_default() -> None:
    assert list(Idle().refusals(TASK)) == []
    assert Idle().instead(TASK) == "Use engine='fast'."
    assert Idle().run(TASK).notes == ()


def test_an_engine_needs_a_run() -> None:
    unfinished: Any = type("Unfinished", (Engine,), {"name": "unfinished"})
    with pytest.raises(TypeError, match="abstract"):
        unfinished()
