"""Run walk-forwards of the app on a service, if there is one: they continue after the tab is closed."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from maestro.apps.shared.service import is_configured, service
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.bars import Bars
from maestro.errors import BarsError
from maestro.execution import events as ev

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward

_SERIES = re.compile(r"sample:\w+|[A-Za-z0-9_-]+:.+:[1-9]\d*[a-zA-Z]{1,2}")


class CountingListener(Protocol):
    """A listener that also counts the progress of a run."""

    trials_done: int
    folds_done: int
    failed: int
    reported: float

    def __call__(self, event: ev.Event) -> None: ...


def belongs_to_service(state: WalkForwardState) -> bool:
    """Whether a run goes to the service of the setting ``service.url``.

    It has neither the files nor the user-defined strategies of this machine, and takes the market's own number of bars
    per year: anything else runs here.
    """
    named = bool(_SERIES.fullmatch(state.data)) and not Path(state.data).exists()
    return is_configured() and not state.user_defined and named and state.periods_per_year is None


def run_on_service(
    state: WalkForwardState, bars: Bars, listener: CountingListener, cancel: threading.Event, login: str = ""
) -> WalkForward:
    """Submit what the state says, or find the job that was submitted before; follow it and fetch its result.

    `login` is that of the visitor (`maestro.apps.shared.service`).

    Raises
    ------
    BarsError
        The service's series of this name has other bars than the one on this machine.
    MaestroError
        What the service refuses; `RunCancelled`.
    """
    with service(login, state.runs_dir) as client:
        job = client.submit(
            state.data, state.strategy, start=state.start, end=state.end, splitter=state.splitter, search=state.search,
            trials=state.trials, select=state.select, seed=state.seed, params=state.params, space=state.ranges(),
            sizing=state.sizing, cash=state.cash, fee=state.fee, slippage=state.slippage, fill=state.fill,
        )  # fmt: skip
        about = job.refresh()
        listener(ev.RunStarted(job.run, f"{state.strategy} on {bars.name}", about["folds"], state.trials))
        over = threading.Event()

        def stop_when_asked() -> None:
            while not over.wait(0.2):
                if cancel.is_set():
                    job.cancel()
                    return

        watcher = threading.Thread(target=stop_when_asked, name="maestro-app-cancel", daemon=True)
        watcher.start()
        try:
            job.wait(lambda event: _tell(listener, event))
        finally:
            over.set()
            watcher.join()
        wf = job.result()
    if wf.spec.bars.fingerprint != bars.fingerprint:
        raise BarsError(
            f"{client.url} has other bars of {state.data} than this machine; fetch both again (maestro data fetch), or "
            f"open run {wf.id} in the Runs app."
        )
    wf.bars = bars
    return wf


def has_job(run: str, login: str) -> bool:
    """Whether the visitor has a job for a run that waits, runs or is done.

    Raises
    ------
    MaestroError
        The service does not answer, or refuses.
    """
    with service(login, patience=0.0) as client:
        return any(job.document["state"] in ("queued", "running", "done") for job in client.jobs(limit=5, run=run))


def _tell(listener: CountingListener, event: dict[str, Any]) -> None:
    listener.reported = time.monotonic()
    if event["kind"] == "progress":
        listener.trials_done = event["data"]["done"]
    elif event["kind"] == "fold":
        listener.folds_done += 1
        listener.failed += event["data"]["error"] is not None
