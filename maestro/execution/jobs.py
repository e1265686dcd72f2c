"""One job at a time on a background thread, with progress and cancellation; used by the apps and the service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from maestro._core.formatting import duration
from maestro.errors import SettingsError
from maestro.execution import events as ev

_LATE = 1.0
"""Seconds after its estimated end from which a run is called late."""
Done = Callable[[Any, Exception | None], None]


@dataclass
class RunProgress:
    """Progress of a run, updated by its events and read from another thread."""

    folds: int = 0
    folds_done: int = 0
    trials: int = 0
    trials_done: int = 0
    failed: int = 0
    stored: int = 0
    """Trials of folds that were finished before this run began; they say nothing about its pace."""
    began: float = field(default_factory=time.monotonic)
    reported: float = 0.0
    """When a trial or a fold was last reported."""
    _of_fold: dict[int, int] = field(default_factory=dict)

    def __call__(self, event: ev.Event) -> None:
        """Update the counts from an event."""
        self.reported = time.monotonic()
        if isinstance(event, ev.RunStarted):
            self.folds, self.folds_done, self.trials = event.folds, event.done, event.folds * event.trials
            self.stored = self.trials_done = event.done * event.trials
        elif isinstance(event, ev.TrialDone):
            self._of_fold[event.fold] = self._of_fold.get(event.fold, 0) + 1
            self.trials_done += 1
        elif isinstance(event, ev.FoldDone):
            self.trials_done += event.trials - self._of_fold.pop(event.fold, 0)
            self.folds_done += 1
            self.failed += event.error is not None

    @property
    def percent(self) -> int:
        """Percentage of the trials that are done, 0 to 100."""
        return min(100, round(100 * self.trials_done / self.trials)) if self.trials else 0

    @property
    def words(self) -> str:
        """Folds, trials, elapsed and remaining time in one line."""
        now = time.monotonic()
        failed = f", {self.failed} failed" if self.failed else ""
        done = f"{self.folds_done} of {self.folds} folds{failed}, {self.trials_done:,} of {self.trials:,} trials"
        return f"{done}, {duration(now - self.began)}, {self._left(now)}"

    def _left(self, now: float) -> str:
        """Time left by the pace up to the last report; folds in other processes report only when they end."""
        here = self.trials_done - self.stored
        if self.trials and self.trials_done >= self.trials:
            return "writing the result"
        if not here:
            return "time left not known yet"
        pace = (self.reported - self.began) / here
        left = pace * (self.trials - self.trials_done) - (now - self.reported)
        if left >= 1.0:
            return f"about {duration(left)} left"
        return "less than a second left" if left > -_LATE else "taking longer than estimated"


@dataclass
class StepProgress:
    """Progress of a job that reports the share done, 0 to 1, and the current step."""

    title: str
    percent: int = 0
    words: str = ""

    def __post_init__(self) -> None:
        self.words = self.words or f"{self.title} …"

    def __call__(self, share: float, step: str) -> None:
        """Update the percentage and the text."""
        self.percent, self.words = round(100 * share), f"{self.title}: {step}"


Progress = RunProgress | StepProgress


class JobRunner:
    """Runs one job at a time on a background thread."""

    def __init__(self) -> None:
        self.progress: Progress = RunProgress()
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self._thread is not None and self._thread.is_alive()

    def submit(self, job: Callable[[threading.Event], Any], progress: Progress, done: Done) -> None:
        """Start a job.

        Parameters
        ----------
        job : callable
            Takes the event that is set by `cancel`.
        progress : RunProgress or StepProgress
            Updated by the job.
        done : callable
            Called on the background thread with the result and None, or with None and the error.

        Raises
        ------
        SettingsError
            Another job is running.
        """
        if self.busy:
            raise SettingsError("a job is running; cancel it or wait until it ends.")
        cancel = self._cancel = threading.Event()
        self.progress = progress

        def work() -> None:
            try:
                result = job(cancel)
            except Exception as error:  # passed to the caller, who shows it
                done(None, error)
            else:
                done(result, None)

        self._thread = threading.Thread(target=work, name="maestro-job", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the job to stop; a run stops within a trial and keeps its finished folds."""
        self._cancel.set()

    def wait(self, seconds: float) -> None:
        """Wait until the job has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)
