"""Runs and verdicts on a thread, followed by the page that began them and by any other page of the same run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.remote import belongs_to_service, run_on_service
from maestro.apps.walk_forward.session import run
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.bars import Bars
from maestro.execution.jobs import Done, JobRunner, Progress, RunProgress, StepProgress
from maestro.runs import RunStore
from maestro.validation.verdict.build import verdict
from maestro.walkforward.result import WalkForward

_Key: TypeAlias = tuple[Path, str]
"""Folder of a run, and the login of the visitor whose job it is on the service; empty for a run here."""
_in_progress: dict[_Key, Runner] = {}
_guard = threading.Lock()


class Runner(JobRunner):
    """Runs one walk-forward or one verdict.

    Attributes
    ----------
    on_service : bool
        Whether the job runs on a service and continues without a page.
    pages : set
        Pages that follow it.
    ended : (result, error) or None
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_service = False
        self.pages: set[Any] = set()
        self.ended: tuple[Any, Exception | None] | None = None

    def start(
        self, state: WalkForwardState, bars: Bars, done: Done | None = None, folder: Path | None = None,
        login: str = "",
    ) -> None:  # fmt: skip
        """Start a run or continue an interrupted one; on the service, if there is one that can run it.

        Other pages find a run by its `folder`, and those of the same `login` one on the service.
        """
        progress = RunProgress()
        remote = belongs_to_service(state)

        def job(cancel: threading.Event) -> WalkForward:
            if remote:
                return run_on_service(state, bars, progress, cancel, login)
            return run(state, bars, keep=True, progress=progress, cancel=cancel)

        self.on_service = remote
        self._begin(job, progress, done, None if folder is None else (folder, login if remote else ""))

    def judge(self, wf: WalkForward, bars: Bars, own: Any, done: Done | None = None) -> None:
        """Compute the verdict of a result; that of a stored run is written to its folder."""
        progress = StepProgress("Judging")
        self._begin(lambda cancel: verdict(wf, bars, strategy=own, progress=progress, cancel=cancel), progress, done)

    def leave(self, page: Any) -> None:
        """A page stops following; without any other page a run here is interrupted and can be resumed."""
        self.pages.discard(page)
        if not self.pages and not self.on_service:
            self.cancel()

    def _begin(
        self, job: Callable[[threading.Event], Any], progress: Progress, done: Done | None, key: _Key | None = None
    ) -> None:
        def end(result: Any, error: Exception | None) -> None:
            with _guard:
                if key is not None and _in_progress.get(key) is self:
                    del _in_progress[key]
            self.ended = (result, error)
            if done is not None:
                done(result, error)

        with _guard:
            self.submit(job, progress, end)
            if key is not None:
                _in_progress[key] = self


def folder_of(job: Job) -> Path:
    """Folder of a job's run, whether or not it exists."""
    return Path(job.state.runs_dir).resolve() / job.id


def in_progress(job: Job, login: str = "") -> Runner | None:
    """Runner of this process that computes a job's run, here or on the service for this login."""
    folder = folder_of(job)
    with _guard:
        return _in_progress.get((folder, login)) or _in_progress.get((folder, ""))


def status(job: Job, login: str = "") -> str:
    """Status of a job's run in its folder, as of `RunStore.status`; ``here`` if this process computes it.

    Raises
    ------
    RunError
        Its manifest is damaged.
    """
    return "here" if in_progress(job, login) is not None else RunStore(folder_of(job)).status()
