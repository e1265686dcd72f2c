"""A job of a service: follow it, cancel it, fetch its result."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from maestro._core.atomic import write_atomic
from maestro.client.connection import Connection
from maestro.engine import Backtest
from maestro.errors import JobError, RunBusyError, RunCancelled, RunError
from maestro.runs import RunStore
from maestro.runs.backtests import TABLES as BACKTEST_TABLES
from maestro.runs.backtests import BacktestStore
from maestro.runs.store import MANIFEST, TABLES
from maestro.walkforward.result import WalkForward, load_stored

_HERE = "/api/v2/optimizations"
_CLOSED = ("done", "failed", "cancelled")


class RemoteJob:
    """A job on a service; it continues after this program ends.

    Attributes
    ----------
    id, run : str
        Of the job, and of the run or backtest that it makes.
    kind : {"walk-forward", "backtest"}
    """

    def __init__(self, connection: Connection, document: dict[str, Any], runs_dir: Path) -> None:
        self._connection, self._document, self._runs_dir = connection, document, runs_dir
        self.id: str = document["id"]
        self.run: str = document["run"]
        self.kind: str = document["kind"]

    @property
    def document(self) -> dict[str, Any]:
        """The job as the service described it last (`refresh`)."""
        return self._document

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``, asked for now."""
        return str(self.refresh()["state"])

    def refresh(self) -> dict[str, Any]:
        """Ask for the job as it is now."""
        self._document = self._connection.ask("GET", f"{_HERE}/{self.id}").json()
        return self._document

    def cancel(self) -> None:
        """Cancel the job; its finished folds are kept on the server."""
        self._document = self._connection.ask("POST", f"{_HERE}/{self.id}/cancel").json()

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the events after a number, and ``progress`` in between, until the job is finished.

        They come by WebSocket; where none can be opened, by long polling. A connection that ends is made again and
        goes on behind the last event seen.
        """
        socket = True
        while True:
            ended = False
            for event in self._by_socket(after) if socket else self._by_polling(after):
                if event["kind"] == "no socket":
                    socket = False
                    break
                after = event.get("seq", after)
                if event["kind"] != "ping":
                    yield event
                ended = event["kind"] in _CLOSED
            if ended:
                return
            if self.refresh()["state"] in _CLOSED:
                for event in self._connection.ask("GET", f"{_HERE}/{self.id}/events?after={after}").json()["events"]:
                    yield event
                return

    def wait(self, progress: bool | Callable[[dict[str, Any]], None] = False) -> RemoteJob:
        """Wait for the end.

        Parameters
        ----------
        progress : bool or callable
            True shows a bar of trials; a function is given every event as a dictionary.

        Raises
        ------
        JobError
            It failed; the message is the worker's.
        RunCancelled
            It was cancelled.
        """
        listener = _Bar(self._document) if progress is True else progress or None
        for event in self.events():
            if listener:
                listener(event)
        document = self.refresh()
        if document["state"] == "failed":
            raise JobError(f"job {self.id} failed: {document['error']}")
        if document["state"] == "cancelled":
            raise RunCancelled(f"job {self.id} was cancelled; submit it again, and it goes on at the missing fold.")
        return self

    def result(self) -> Any:
        """Fetch the result into the runs directory, check every file of it, and load it.

        Returns
        -------
        WalkForward or Backtest
            By the job's kind.

        Raises
        ------
        JobError
            It is not finished.
        RunError
            What arrived is not what the manifest vouches for.
        """
        return self._backtest() if self.kind == "backtest" else self._walk_forward()

    def _walk_forward(self) -> WalkForward:
        store = RunStore(self._runs_dir / self.run)
        end = time.monotonic() + self._connection.patience
        while store.status() != "done":
            try:
                self._fetch(store)
            except RunBusyError:  # another program fetches or computes the same run here
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        return load_stored(store)

    def _fetch(self, store: RunStore) -> None:
        with store.locked():
            store.note_fetched(self._connection.url)
            self._download(store.folder, TABLES)

    def _backtest(self) -> Backtest:
        store = BacktestStore(self._runs_dir, self.run)
        if not store.exists:
            self._download(store.folder, BACKTEST_TABLES)
        return store.load()

    def _download(self, folder: Path, tables: Sequence[str]) -> None:
        """Write the tables, then the manifest with their checksums."""
        base = f"/api/v2/results/{self.run}"
        manifest = self._connection.ask("GET", f"{base}/manifest").content
        if json.loads(manifest)["id"] != self.run:
            raise RunError(f"the service gave another run than {self.run}; is it a Maestro service?")
        for name in tables:
            table = self._connection.ask("GET", f"{base}/{name}?format=parquet").content
            write_atomic(folder / f"{name}.parquet", table)
        write_atomic(folder / MANIFEST, manifest)

    def _by_socket(self, after: int) -> Iterator[dict[str, Any]]:
        try:
            from websockets.exceptions import ConnectionClosed, WebSocketException
            from websockets.sync.client import connect
        except ImportError:
            yield {"kind": "no socket"}
            return
        url = "ws" + self._connection.url.removeprefix("http") + f"{_HERE}/{self.id}/ws?after={after}"
        try:
            socket = connect(url, additional_headers=self._connection.headers, open_timeout=10, proxy=None)
        except (OSError, WebSocketException, TimeoutError):
            yield {"kind": "no socket"}
            return
        with socket:
            while True:
                try:
                    yield json.loads(socket.recv(timeout=60))
                except (ConnectionClosed, TimeoutError):
                    return

    def _by_polling(self, after: int) -> Iterator[dict[str, Any]]:
        reported = -1
        while True:
            answer = self._connection.ask("GET", f"{_HERE}/{self.id}/events?after={after}&wait=2").json()
            for event in answer["events"]:
                after = event["seq"]
                yield event
            job = answer["job"]
            if job["done"] != reported:
                reported = job["done"]
                yield {"kind": "progress", "data": {name: job[name] for name in ("done", "total", "state")}}
            if job["state"] in _CLOSED and not answer["events"]:
                return
            time.sleep(0.05)

    def __repr__(self) -> str:
        return f"RemoteJob({self.id}, run {self.run}, {self._document['state']})"


class _Bar:
    """A bar of trials, as `ms.walk_forward` shows one."""

    def __init__(self, document: dict[str, Any]) -> None:
        from tqdm.auto import tqdm

        name = f"{document['strategy']} on {document['symbol']}"
        self._bar = tqdm(total=document["total"], desc=name, unit="trial", dynamic_ncols=True)

    def __call__(self, event: dict[str, Any]) -> None:
        if event["kind"] == "progress":
            self._bar.update(event["data"]["done"] - self._bar.n)
        elif event["kind"] == "note":
            self._bar.write(event["data"]["note"], file=sys.stderr)
        elif event["kind"] in _CLOSED:
            if event["kind"] == "done":
                self._bar.update(self._bar.total - self._bar.n)
            self._bar.close()
