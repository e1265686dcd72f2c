"""The result depends on bars, spec and seed alone: not on workers, executors, cancellations or a class's home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import RunCancelled, RunError, SettingsError
from maestro.execution.events import Event, FoldDone, TrialDone
from maestro.execution.mixed import Mixed
from maestro.runs import RunSpec
from tests.support.patience import GIVE_UP
from tests.support.rules import RISING, THREE, Cross, FailsAbove, Slow, same

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = {"splitter": ms.Rolling(n_splits=6), "trials": 12}


@pytest.fixture(scope="module")
def reference() -> ms.WalkForward:
    return ms.walk_forward(RISING, Cross, **SETTINGS, executor="serial")


@pytest.mark.parametrize(
    ("executor", "workers"),
    [("serial", 1), ("threads", 1), ("threads", 2), ("threads", 4), ("processes", 1), ("processes", 2)],
)
def test_any_number_of_workers_gives_the_same(reference: ms.WalkForward, executor: str, workers: int) -> None:
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=executor, workers=workers), reference)


@pytest.mark.parametrize("search", ["random", "sobol"])
def test_batches_give_the_same_on_four_processes(search: str) -> None:
    one = ms.walk_forward(RISING, Cross, **SETTINGS, search=search, executor="serial")
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, search=search, executor="processes", workers=4), one)


def test_left_to_itself_it_gives_the_same(reference: ms.WalkForward) -> None:
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS), reference)


@pytest.mark.parametrize("workers", [2, 4])
def test_this_process_and_others_together_give_the_same(reference: ms.WalkForward, workers: int) -> None:
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=Mixed(workers)), reference)


def test_an_executor_object_is_taken(reference: ms.WalkForward) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=pool), reference)
        assert pool.submit(int, 3).result() == 3  # it is not shut down


def test_anything_with_submit_is_taken_and_gets_the_bars_of_a_fold_only(reference: ms.WalkForward) -> None:
    class Far:
        """Pickles what it is given, as an executor on another machine does."""

        def submit(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
            import cloudpickle

            sent = cloudpickle.dumps((function, args, kwargs))
            sizes.append(len(sent))
            future: Future[Any] = Future()
            function, args, kwargs = cloudpickle.loads(sent)
            future.set_result(function(*args, **kwargs))
            return future

    sizes: list[int] = []
    assert same(ms.walk_forward(RISING, Cross, **SETTINGS, executor=Far()), reference)
    assert len(sizes) == 5
    assert max(sizes) < 1_500 * 6 * 8  # all bars would be more


def test_a_fold_that_fails_fails_alike_everywhere() -> None:
    one = ms.walk_forward(RISING, FailsAbove, **THREE, executor="serial")
    assert same(ms.walk_forward(RISING, FailsAbove, **THREE, executor="processes", workers=2), one)
    assert same(ms.walk_forward(RISING, FailsAbove, **THREE, executor="threads"), one)


SCRIPT = """
import sys
import maestro as ms

LENGTH = 40

def slow_side(bars):
    return ms.indicators.sma(bars.close, LENGTH)

class Mine(ms.Strategy):
    fast = ms.Int(5, 2, 20)

    def signals(self, bars):
        fast, slow = ms.indicators.sma(bars.close, self.fast), slow_side(bars)
        return ms.Signals.flip(ms.indicators.crosses_above(fast, slow), ms.indicators.crosses_below(fast, slow))

if __name__ == "__main__":
    wf = ms.walk_forward(
        ms.synthetic_bars(1_500, seed=4), Mine, splitter=ms.Rolling(n_splits=4), trials=5,
        executor=sys.argv[1], workers=2,
    )
    print(wf.id, wf.trials.hash_rows(seed=1).sum(), wf.equity["equity"].to_list()[-1])
"""


def run_script(path: Path, *args: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, str(path), *args], capture_output=True, text=True, timeout=300, cwd=ROOT,
        env={**os.environ, **env}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_class_of_main_works_on_processes_and_its_id_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(SCRIPT)
    message = {run_script(script, "serial", PYTHONHASHSEED="1"), run_script(script, "processes", PYTHONHASHSEED="2")}
    assert len(message) == 1
    script.write_text(SCRIPT.replace("LENGTH = 40", "LENGTH = 41"))
    assert run_script(script, "serial").split()[0] not in message.pop()


# -- cancelling -------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["serial", "threads", "processes", "mixed"])
def test_a_cancelled_run_stops_soon_and_goes_on_where_it_stopped(tmp_path: Path, executor: str) -> None:
    cancel, heard = threading.Event(), []
    stopped_at = 0.0

    def listen(event: Event) -> None:
        nonlocal stopped_at
        heard.append(event)
        if isinstance(event, FoldDone) and not cancel.is_set():
            stopped_at = time.perf_counter()
            cancel.set()

    settings = {**THREE, "trials": 40, "runs_dir": tmp_path, "executor": Mixed(2) if executor == "mixed" else executor}
    with pytest.raises(
        RunCancelled, match=r"cancelled after [12] of 3 folds; they are kept in .*the same call goes on"
    ):
        ms.walk_forward(
            RISING, Slow, **settings, workers=1 if executor == "processes" else 2, progress=listen, cancel=cancel
        )
    later = [e for e in heard[[type(e) for e in heard].index(FoldDone) :] if isinstance(e, TrialDone)]
    assert len(later) <= 2 + 12  # a trial each, and what threads had reported while the fold was stored
    cancel.clear()
    again: list[Event] = []
    wf = ms.walk_forward(RISING, Slow, **settings, progress=again.append)
    kept = again[0].done  # type: ignore[union-attr]
    assert 1 <= kept <= 2
    assert sum(isinstance(e, FoldDone) for e in again) == 3 - kept
    assert same(wf, ms.walk_forward(RISING, Slow, **{**THREE, "trials": 40}))


def test_a_cancellation_within_the_first_fold_leaves_a_run_that_can_be_taken_up(tmp_path: Path) -> None:
    cancel = threading.Event()
    heard: list[TrialDone] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialDone):
            heard.append(event)
            if event.number == 3:
                cancel.set()

    with pytest.raises(RunCancelled, match="cancelled after 0 of 3 folds"):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, executor="serial", progress=listen, cancel=cancel)
    assert [e.number for e in heard] == [0, 1, 2, 3]
    assert ms.runs.list_runs(tmp_path)["status"].to_list() == ["interrupted"]
    assert same(ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path), ms.walk_forward(RISING, Cross, **THREE))


@pytest.mark.parametrize("bad", range(3))
def test_an_error_loses_no_fold_that_was_finished_with_it(tmp_path: Path, bad: int) -> None:
    class AllAtOnce:
        """Has every result when it is first asked, but one."""

        submitted = 0

        def submit(self, function: Any, *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            if self.submitted == bad:
                future.set_exception(ConnectionError("gone"))
            else:
                future.set_result(function(*args))
            self.submitted += 1
            return future

    with pytest.raises(ConnectionError):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, executor=AllAtOnce())
    heard: list[Event] = []
    ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, progress=heard.append)
    assert [e.fold for e in heard if isinstance(e, FoldDone)] == [bad]


def test_an_error_of_a_listener_does_not_set_the_callers_event() -> None:
    cancel = threading.Event()

    def broken(event: Event) -> None:
        if isinstance(event, FoldDone):
            raise KeyError("listener")

    with pytest.raises(KeyError):
        ms.walk_forward(RISING, Cross, **THREE, executor="threads", workers=2, progress=broken, cancel=cancel)
    assert not cancel.is_set()


INTERRUPTED = """
import sys, time
import maestro as ms
sys.path.insert(0, {root!r})
from maestro.execution.mixed import Mixed
from tests.support.rules import RISING, THREE, Slow

def say(event):
    if type(event).__name__ == "FoldDone":
        print("fold done", flush=True)

ms.walk_forward(RISING, Slow, **{{**THREE, "trials": 60}}, runs_dir={runs!r}, executor={executor}, workers=2,
    progress=say)
"""


@pytest.mark.parametrize("executor", ["'serial'", "'processes'", "Mixed(2)"], ids=["serial", "processes", "mixed"])
def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path, executor: str) -> None:
    # A job that a shell started in the background ignores the interrupt; the child restores its handler.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = heed + INTERRUPTED.format(root=str(ROOT), runs=str(tmp_path), executor=executor)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "fold done\n"
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to the leader and to its workers
    _, message = child.communicate(timeout=GIVE_UP)
    assert child.returncode != 0
    assert "KeyboardInterrupt" in message
    assert 1 <= len(ms.runs.RunStore(next(tmp_path.iterdir())).finished_folds()) <= 3
    again: list[Event] = []
    wf = ms.walk_forward(RISING, Slow, **{**THREE, "trials": 60}, runs_dir=tmp_path, progress=again.append)
    assert again[0].done >= 1  # type: ignore[union-attr]
    assert same(wf, ms.walk_forward(RISING, Slow, **{**THREE, "trials": 60}))


class Dies(Cross):
    """Ends every process but one, as the system does where memory runs out."""

    spared = ms.Int(0, 0, 2**31, search=False)

    def signals(self, bars: Bars) -> ms.Signals:
        if os.getpid() != self.spared:
            os._exit(9)
        return super().signals(bars)


def test_a_worker_that_dies_is_named_with_a_remedy(tmp_path: Path) -> None:
    message = r"a worker process died .*run again with fewer workers\. 0 of 3 folds are finished\.$"
    settings: dict[str, Any] = {"params": {"spared": os.getpid()}, "executor": "processes", "workers": 2}
    with pytest.raises(RunError, match=message):
        ms.walk_forward(RISING, Dies, **THREE, **settings, runs_dir=tmp_path)


LEADER = """
import os, sys
import maestro as ms
sys.path.insert(0, {root!r})
from tests.support.rules import RISING, THREE, Slow

class Told(Slow):
    def signals(self, bars):
        with open(os.path.join({folder!r}, str(os.getpid())), "a"):
            pass
        return super().signals(bars)

ms.walk_forward(RISING, Told, **{{**THREE, "trials": 100_000}}, executor="processes", workers=2)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_of_a_killed_leader_leave_and_take_their_bars_with_them(tmp_path: Path) -> None:
    workers_folder, temporary = tmp_path / "workers_folder", tmp_path / "tmp"
    workers_folder.mkdir()
    temporary.mkdir()
    code = LEADER.format(root=str(ROOT), folder=str(workers_folder))
    leader = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)})
    deadline = time.monotonic() + GIVE_UP
    while len(workers := [int(path.name) for path in workers_folder.iterdir() if int(path.name) != leader.pid]) < 2:
        assert leader.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(temporary.glob("maestro-bars-*"))
    leader.kill()
    leader.wait()
    deadline = time.monotonic() + GIVE_UP
    while any(map(alive, workers)) or list(temporary.glob("maestro-bars-*")):
        assert time.monotonic() < deadline, f"of {workers}, {[pid for pid in workers if alive(pid)]} are still there"
        time.sleep(0.05)


# -- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers=0 is not a whole number of at least 1; leave it out for all cores"),
        ({"workers": 1.5}, "workers=1.5 is not a whole number"),
        (
            {"executor": "proceses"},
            "executor='proceses' is unknown; allowed: serial, threads, processes. Did you mean 'proc",
        ),
        ({"executor": 7}, r"executor=7 has no submit\(\); give serial, threads, processes, or an executor object"),
    ],
)
def test_impossible_executors_are_refused_before_anything_is_written(
    tmp_path: Path, settings: Any, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        ms.walk_forward(RISING, Cross, **THREE, runs_dir=tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


def test_figures_of_a_run_are_plain_json(reference: ms.WalkForward) -> None:
    assert RunSpec.from_dict(json.loads(json.dumps(reference.spec.to_dict()))) == reference.spec
