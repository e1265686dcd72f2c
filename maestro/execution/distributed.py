"""External executors: any object with `submit` as in `concurrent.futures`, and a Dask cluster."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Any

from maestro._core.usercode import dumps_by_value
from maestro.errors import MissingExtraError, RunError, SettingsError
from maestro.execution.cluster import handshake
from maestro.execution.protocol import Cancelled, Outcome, Report, Task, perform, portable


class Parcel:
    """A value that is pickled with the user's code by value, and opened where it is used."""

    def __init__(self, value: Any = None, packed: bytes | None = None) -> None:
        self._value, self._packed = value, packed

    def __reduce__(self) -> tuple[Any, ...]:
        return Parcel, (None, self.pack())

    def pack(self) -> bytes:
        """Return the bytes that are sent."""
        return dumps_by_value(self._value) if self._packed is None else self._packed

    def open(self) -> Any:
        """Return the value."""
        return self._value if self._packed is None else pickle.loads(self._packed)


class Submitting:
    """Runs tasks by an object with ``submit``, which decides itself where.

    With each task goes the part of the shared object that it needs. A task that has begun cannot be asked to stop:
    after a cancellation it is waited for.

    Parameters
    ----------
    pool : object with ``submit``
    """

    at_once = None
    reports = False

    def __init__(self, pool: Any) -> None:
        self.workers = os.cpu_count() or 1
        self._pool = pool
        self._shared: Any = None
        self._futures: list[Future[Outcome]] = []

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Keep what tasks are sent."""
        self._shared, self._futures = shared, []

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Send a task with the part of the shared object that it needs."""
        shared, arguments = self._shared, task.arguments
        if task.part is not None:
            shared, arguments = task.part(shared, *arguments)
        future: Future[Outcome] = self._pool.submit(_perform_parcel, Parcel((number, task.function, arguments, shared)))
        self._futures.append(future)
        return future

    def cancel(self) -> None:
        """Drop the tasks that have not begun."""
        for future in self._futures:
            future.cancel()

    def close(self) -> None:
        """Let go of the shared object; the pool stays open."""
        self._shared, self._futures = None, []


def _perform_parcel(parcel: Parcel) -> Outcome:
    number, function, arguments, shared = parcel.open()
    return portable(perform(number, function, arguments, shared))


def is_client(thing: Any) -> bool:
    """Whether an object is a client of a Dask cluster; does not import Dask."""
    library = sys.modules.get("distributed")
    return library is not None and isinstance(thing, library.Client)


@contextmanager
def connected(address: str, *, timeout: float = 10.0, check: bool = True) -> Iterator[Any]:
    """Yield a client of the cluster at an address, and close it.

    Raises
    ------
    RunError
        No scheduler answers there, or its workers run other versions (`check`).
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError("distributed", "distributed") from error
    try:
        client = Client(address, timeout=timeout, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address} ({str(error).splitlines()[0] or type(error).__name__}); give an "
            "address like tcp://HOST:8786, or start one: maestro cluster start."
        ) from error
    try:
        if check:
            handshake(client)
        yield client
    finally:
        client.close(timeout=timeout)


@contextmanager
def local_cluster(workers: int | None, port: int, memory: str) -> Iterator[Any]:
    """Yield a cluster of worker processes on this machine that listens on loopback only.

    Raises
    ------
    SettingsError
        The memory is not a size.
    RunError
        The port is taken, or a worker does not start.
    """
    try:
        from dask.utils import parse_bytes
        from distributed import LocalCluster
    except ImportError as error:
        raise MissingExtraError("distributed", "distributed") from error
    if memory != "auto":
        try:
            parse_bytes(memory)
        except ValueError as error:
            raise SettingsError(f"--memory {memory!r} is not a size; give 2GB, 500MB or auto.") from error
    try:
        cluster = LocalCluster(
            n_workers=workers or os.cpu_count(), threads_per_worker=1, processes=True, host="127.0.0.1",
            scheduler_port=port, dashboard_address=None, memory_limit=memory,
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(f"the cluster cannot be started on port {port} ({error}); give another --port.") from error
    try:
        yield cluster
    finally:
        cluster.close()


_TRIES = 5
"""How often a task is sent again that the scheduler lost, which happens where workers die in quick succession."""
_ASK = 0.5
"""Seconds between two questions of a task to the scheduler whether it is to stop; one takes about a millisecond."""


class Dask:
    """Runs tasks on the workers of a Dask cluster.

    The shared object goes to the scheduler once and from there to each worker once, under the hash of its content; it
    survives workers that die. The code of the user's own modules goes with each task. A cancellation sets an event of
    the scheduler that running tasks look at twice a second. What tasks report is collected and sent as often.

    Parameters
    ----------
    client : dask.distributed.Client
        It stays open.
    """

    at_once = None
    reports = True

    def __init__(self, client: Any) -> None:
        if client.asynchronous:
            raise SettingsError("an asynchronous Client cannot be used; give Client(address) of a synchronous program.")
        self._client = client
        self._data: Any = None
        self._stop: Any = None
        self._futures: list[tuple[Any, Future[Outcome]]] = []
        self._cancelled = False

    @property
    def workers(self) -> int:
        """Threads of all workers of the cluster at this moment."""
        with self._named_failures():
            return max(sum(self._client.nthreads().values()), 1)

    def start(self, shared: Any, cancelled: Cancelled, report: Report | None) -> None:
        """Send the shared object to the scheduler."""
        import dask
        from distributed import Event

        self._futures, self._cancelled = [], False
        self._run = uuid.uuid4().hex[:12]
        packed = pickle.dumps(shared, protocol=5)
        key = f"maestro-shared-{hashlib.sha256(packed).hexdigest()[:32]}"
        # A task, and not scattered: what is scattered is gone with the last worker that held it.
        large = {"distributed.admin.large-graph-warning-threshold": "100GB"}
        if report is not None:
            _listening[self._run] = _Reports(report)
        with self._named_failures(), dask.config.set(large):
            if report is not None:
                self._client.subscribe_topic(_TOPIC, _heard)
            for note in handshake(self._client):
                warnings.warn(note, UserWarning, stacklevel=2)
            self._stop = Event(f"maestro-stop-{self._run}", client=self._client)
            self._data = self._client.submit(_itself, packed, key=key)

    def submit(self, number: int, task: Task) -> Future[Outcome]:
        """Send a task; it runs on whichever worker is free."""
        own: Future[Outcome] = Future()
        self._send(number, 0, dumps_by_value((number, task.function, task.arguments)), own)
        return own

    def _send(self, number: int, again: int, packed: bytes, own: Future[Outcome]) -> None:
        with self._named_failures():
            future = self._client.submit(
                _perform_on_worker, packed, self._data, self._data.key, self._stop.name,
                self._run if self._run in _listening else None,
                key=f"maestro-{self._run}-{number}-{again}", pure=False,
            )  # fmt: skip
            self._futures.append((future, own))
            future.add_done_callback(lambda done: self._settle(number, again, packed, done, own))

    def cancel(self) -> None:
        """Tell all tasks to stop; those that have not begun return at once."""
        if self._cancelled or self._stop is None:
            return
        self._cancelled = True
        if not self._flag(self._stop.set):
            for _, own in self._futures:
                _fail(own, _gone("the scheduler does not answer"))

    def close(self) -> None:
        """Release tasks and data on the cluster."""
        _listening.pop(self._run, None)
        for future, _ in self._futures:
            future.release()
        if self._cancelled:
            self._flag(self._stop.clear)
        self._futures, self._data, self._stop = [], None, None

    def _settle(self, number: int, again: int, packed: bytes, done: Any, own: Future[Outcome]) -> None:
        """Hand over what became of a task; one that was lost with its worker is sent again."""
        running = self._client.status == "running" and not self._cancelled and self._data is not None
        if done.status in ("lost", "cancelled") and running and again < _TRIES:
            try:
                self._send(number, again + 1, packed, own)
            except Exception as error:
                _fail(own, _gone(f"{type(error).__name__}: {error}"))
            return
        reports = _listening.get(self._run)
        if reports is not None:
            reports.end(number)
        _settle(done, own)

    def _flag(self, action: Any) -> bool:
        """Set or clear the event; whether the scheduler could be asked to."""
        if self._client.status != "running":  # it would wait for a new connection
            return False
        try:
            action()
        except (OSError, TimeoutError):
            return False
        return True

    @contextmanager
    def _named_failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, TimeoutError) as error:  # among them Dask's CommClosedError
            raise _gone(str(error) or type(error).__name__) from error


_TOPIC = "maestro-reports"
"""One topic for all runs: the scheduler keeps the last events of every topic for ever, 1,000 of each by default."""


class _Reports:
    """Passes on what tasks report: each value once, also if a task runs again because its worker died."""

    def __init__(self, report: Report) -> None:
        self._report, self._seen, self._ended = report, dict[int, int](), set[int]()
        self._lock = threading.Lock()

    def hear(self, number: int, first: int, values: list[Any]) -> None:
        """Take the values of a task from the one at position `first` on."""
        with self._lock:
            seen = self._seen.get(number, 0)
            if number in self._ended or first > seen:
                return
            self._seen[number] = max(seen, first + len(values))
            for value in values[seen - first :]:
                self._report(number, value)

    def end(self, number: int) -> None:
        """Ignore what comes after the outcome of a task."""
        with self._lock:
            self._ended.add(number)


_listening: dict[str, _Reports] = {}


def _heard(event: tuple[float, Any]) -> None:
    run, number, first, packed = event[1]
    reports = _listening.get(run)
    if reports is not None:
        reports.hear(number, first, pickle.loads(packed))


def _gone(why: str) -> RunError:
    return RunError(
        f"the Dask cluster stopped working ({why}); start it again, connect a new Client and repeat the call: a run "
        "with runs_dir continues after its finished folds."
    )


def _settle(done: Any, own: Future[Outcome]) -> None:
    """Hand over what became of a task on the cluster; called in a thread of the client."""
    try:
        if done.status == "finished":
            outcome = done.result()
            if outcome is None:  # it had not begun
                own.cancel()
                own.set_running_or_notify_cancel()
            else:
                own.set_result(outcome)
        elif done.status == "error":
            _fail(own, _failure(done.exception()))
        else:
            _fail(own, _gone("the connection to the scheduler was lost, or the task was cancelled there"))
    except Exception as error:  # the result cannot be fetched
        _fail(own, _gone(f"{type(error).__name__}: {error}".rstrip(": ")))


def _fail(own: Future[Outcome], error: BaseException) -> None:
    with suppress(InvalidStateError):  # it has ended already
        own.set_exception(error)


def _failure(error: BaseException) -> BaseException:
    if type(error).__name__ == "KilledWorker":
        return RunError(
            "a task was given up because several workers of the Dask cluster died while they ran it; the system may "
            "have ended them because memory ran out, or the strategy ends its process. Look at the workers' logs, give "
            "them more memory or fewer threads, and repeat the call."
        )
    return error


# -- on a worker of the cluster -----------------------------------------------------------------

_held: dict[str, Any] = {}


def _itself(packed: bytes) -> bytes:
    return packed


def _perform_on_worker(packed: bytes, shared: bytes, key: str, stop: str, run: str | None = None) -> Outcome | None:
    cancelled = _asking(stop)
    if cancelled():
        return None
    if key not in _held:
        _held.clear()
        _held[key] = pickle.loads(shared)
    number, function, arguments = pickle.loads(packed)
    if run is None:
        return portable(perform(number, function, arguments, _held[key], cancelled))
    sent = _Sender(run, number)
    outcome = portable(perform(number, function, arguments, _held[key], cancelled, sent))
    sent.flush()
    return outcome


class _Sender:
    """Collects what a task reports and sends it to the client, twice a second at most."""

    def __init__(self, run: str, number: int) -> None:
        self._run, self._number = run, number
        self._values: list[Any] = []
        self._first, self._last = 0, time.perf_counter()

    def __call__(self, number: int, value: Any) -> None:
        self._values.append(value)
        if time.perf_counter() >= self._last + _ASK:
            self.flush()

    def flush(self) -> None:
        """Send what was collected."""
        from distributed import get_worker

        if self._values:
            get_worker().log_event(_TOPIC, [self._run, self._number, self._first, dumps_by_value(self._values)])
        self._first += len(self._values)
        self._values, self._last = [], time.perf_counter()


def _asking(name: str) -> Cancelled:
    """Return a function that asks the scheduler for an event, twice a second at most."""
    from distributed import Event, get_client

    event = Event(name, client=get_client())
    asked, found = 0.0, False

    def cancelled() -> bool:
        nonlocal asked, found
        now = time.perf_counter()
        if not found and now >= asked + _ASK:
            try:
                found = bool(event.is_set())
            except OSError:  # the scheduler is gone, and with it the client that wants the result
                found = True
            asked = time.perf_counter()
        return found

    return cancelled
