"""What tests of the Walk-forward app share: bars, a run of them and its job, a page, and an interrupted run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import maestro as ms
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.app import App
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import RunCancelled
from maestro.execution import events as ev
from tests.support.patience import GIVE_UP

OpenPage: TypeAlias = Callable[..., App]
Interrupt: TypeAlias = Callable[[WalkForwardState, int], ms.runs.RunStore]


@pytest.fixture(scope="session")
def bars() -> ms.Bars:
    return ms.synthetic_bars(3_000, seed=5)


@pytest.fixture(scope="session")
def job(bars: ms.Bars) -> Job:
    """Job of `wf`."""
    return Job(WalkForwardState(trials=12), bars)


@pytest.fixture(scope="session")
def wf(job: Job) -> ms.WalkForward:
    """A run of nine folds that is not stored."""
    return session.run(job.state, job.bars, keep=False)


@pytest.fixture
def open_page(bars: ms.Bars, tmp_path: Path) -> OpenPage:
    """Opens a page of the bars that no longer follows its controls."""

    def opened(**settings: Any) -> App:
        page = App(bars, runs_dir=str(tmp_path), **{"trials": 5, **settings})
        page.live.value = False
        return page

    return opened


@pytest.fixture
def finished_page(open_page: OpenPage) -> App:
    """A page that shows a stored run."""
    page = open_page()
    page.begin()
    ended(page)
    return page


@pytest.fixture
def interrupt(bars: ms.Bars) -> Interrupt:
    """Begins the run of a state, cancels it after so many folds, and returns its store."""

    def interrupted(state: WalkForwardState, folds: int) -> ms.runs.RunStore:
        cancel = threading.Event()

        def listen(event: ev.Event) -> None:
            if isinstance(event, ev.FoldDone) and event.fold == folds - 1:
                cancel.set()

        with pytest.raises(RunCancelled):
            session.walk_forward(
                bars, state.chosen(), **session.arguments(state), runs_dir=state.runs_dir, executor="serial",
                progress=listen, cancel=cancel,
            )  # fmt: skip
        return ms.runs.RunStore(Path(state.runs_dir) / Job(state, bars).id)

    return interrupted


def ended(page: App) -> None:
    """Wait for the job of a page, and let the page see its end."""
    page.runner.wait(GIVE_UP)
    page.look()
