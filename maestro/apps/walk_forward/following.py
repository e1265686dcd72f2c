"""What the page shows while it follows its controls: windows at once, and the result if it is quick enough."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from maestro.apps.walk_forward import runner, session
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.bars import Bars
from maestro.errors import MaestroError, RunCancelled
from maestro.execution import events as ev
from maestro.walkforward.result import WalkForward
from maestro.walkforward.splitters import Window

QUICK = 1.0
"""Estimated seconds up to which a walk-forward is computed without being started."""
LIMIT = 10.0
"""Measured seconds after which that computation gives up; the estimate knows the backtests, not the sampler."""


@dataclass(frozen=True)
class Planned:
    """Settings that can be computed, where their folds lie, and the status of their run."""

    job: Job
    windows: list[Window]
    status: str
    problem: str = ""
    """Why the status is not known."""


@dataclass(frozen=True)
class Followed:
    """The result of a job; None where it takes too long."""

    job: Job
    wf: WalkForward | None


class Follower:
    """Computes settings step by step; remembers how fast a search was, so as not to try in vain again."""

    def __init__(self, login: str = "") -> None:
        self._login = login
        self._seconds: dict[tuple[str, str, int, int], float] = {}  # per trial

    def steps(
        self, state: WalkForwardState, bars: Bars, live: bool, cancel: threading.Event
    ) -> Iterator[Planned | Followed]:
        """Yield the plan, then the result if `live` and quick enough, or if it is stored.

        Raises
        ------
        MaestroError
            What a setting, the data or the strategy refuses.
        """
        state.chosen()  # an unknown name is refused at once, also where nothing is computed yet
        windows = session.windows(state.splitter, bars)
        job, status, problem = Job(state, bars), "", ""
        try:
            status = runner.status(job, self._login)
        except MaestroError as error:  # the manifest of its run is damaged
            problem = str(error)
        if cancel.is_set():
            return
        if status not in ("done", "here"):
            _ = job.seconds  # estimated in this thread: the page shows it, and would wait for it
        yield Planned(job, windows, status, problem)
        if not live or status == "here":
            return
        if status == "done":
            yield Followed(job, session.run(job.state, bars, keep=True))
        else:
            begun = status in ("interrupted", "running")  # a start was asked for: it is continued, not repeated
            quick = not begun and self._worth_trying(job)
            yield Followed(job, self._run(job, cancel) if quick else None)

    def _worth_trying(self, job: Job) -> bool:
        known = self._seconds.get(_kind(job))
        if known is not None:
            job.seconds = known * job.folds * job.state.trials
            return job.seconds <= LIMIT
        return job.seconds <= QUICK

    def _run(self, job: Job, cancel: threading.Event) -> WalkForward | None:
        """Result of a job, or None after `LIMIT` seconds."""
        stop, began, trials = threading.Event(), time.monotonic(), 0

        def listen(event: ev.Event) -> None:
            nonlocal trials
            trials += isinstance(event, ev.TrialDone)
            if cancel.is_set() or time.monotonic() - began > LIMIT:
                stop.set()

        try:
            return session.run(job.state, job.bars, keep=False, progress=listen, cancel=stop)
        except RunCancelled:
            if not cancel.is_set():
                self._seconds[_kind(job)] = per_trial = (time.monotonic() - began) / max(trials, 1)
                job.seconds = per_trial * job.folds * job.state.trials
            return None


def _kind(job: Job) -> tuple[str, str, int, int]:
    """What the time of a trial depends on: the rule, the search with its budget, and the bars."""
    return job.strategy.__name__, job.state.search, job.state.trials, len(job.bars)
