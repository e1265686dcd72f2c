"""Bodies of finished runs as JSON, Arrow and Parquet; a finished run never changes, so they are kept as bytes."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.json import dumps
from maestro.errors import JobError, RunError
from maestro.reports.page.stored import report_text
from maestro.runs import RunStore
from maestro.runs.store import MANIFEST, TABLES
from maestro.validation.verdict.result import FILE, read_verdict
from maestro.walkforward.result import WalkForward, load_stored

log = logging.getLogger("maestro.service.web")

TYPES = {
    "json": "application/json",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
_KEPT = 64 * 2**20


class RunUnavailable(RunError):
    """A finished run that was removed, is computed again, or is damaged.

    Attributes
    ----------
    status : int
        Of the HTTP answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Bodies:
    """Answers about walk-forwards, the ones asked for last kept in memory.

    Raises
    ------
    RunUnavailable
        The run was removed (410), is computed again (409), or is damaged (500).
    """

    tables: Sequence[str] = TABLES
    """Names of the tables."""
    whole = "run"
    """What it is called in messages."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._kept: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._size = 0
        self._lock, self._reporting = threading.Lock(), threading.Lock()

    def table(self, run: str, name: str, form: str) -> bytes:
        """Return one of `tables`.

        Raises
        ------
        JobError
            It has no such table.
        """
        if name not in self.tables:
            raise JobError(f"{self.whole} {run} has no table {name}; there are: {', '.join(self.tables)}.")
        return self._body((run, name, form), lambda: self._table(run, name, form))

    def manifest(self, run: str) -> bytes:
        """Return the manifest as it lies on disk, sealed."""
        return self._body((run, "manifest", "json"), lambda: self._manifest(run))

    def summary(self, run: str) -> bytes:
        """Return everything that a program wants of a run in one go, without its tables."""
        return self._body((run, "summary", "json"), lambda: dumps(self._document(run)).encode())

    def v1(self, run: str) -> bytes:
        """Return the result in the schema of 2020."""
        return self._body((run, "v1", "json"), lambda: dumps(self.load(run).to_v1()).encode())

    def report(self, run: str) -> bytes:
        """Return the report, made once and again after a new verdict."""
        with self._in_words(run), self._reporting:
            return report_text(self.load(run)).encode()

    def verdict(self, run: str) -> bytes:
        """Return the verdict.

        Raises
        ------
        JobError
            The run was not judged yet.
        """
        with self._in_words(run):
            self._written(run)
            found = read_verdict(self.runs_dir / run, run)
            if found is None:
                raise JobError(f"run {run} was not judged yet; run maestro verdict {run} on the server.")
            return dumps(found.to_dict()).encode()

    def is_kept(self, run: str) -> bool:
        """Whether a finished run is on disk, be it damaged."""
        try:
            return RunStore(self.runs_dir / run).status() == "done"
        except RunError:
            return True

    def load(self, run: str) -> WalkForward:
        """Load the run."""
        return load_stored(RunStore(self.runs_dir / run))

    def _folder(self, run: str) -> Path:
        return self.runs_dir / run

    def _written(self, run: str) -> int:
        """When the manifest was written; a run that is made again has another."""
        return (self._folder(run) / MANIFEST).stat().st_mtime_ns

    def _remedy(self, run: str) -> str:
        return f"remove it (maestro runs remove {run}), then submit its specification again."

    @contextmanager
    def _in_words(self, run: str) -> Iterator[None]:
        folder = self._folder(run)
        try:
            yield
        except (RunError, OSError) as error:
            if not (folder / MANIFEST).exists():
                what = f"{self.whole} {run}"
                words = f"{what} was removed from the server; submit its specification again to compute it again."
                raise RunUnavailable(words, 410) from error
            if isinstance(error, RunError) and not self.is_kept(run):
                words = f"run {run} is being computed again; follow its job and ask again when it is done."
                raise RunUnavailable(words, 409) from error
            log.error("run %s cannot be read: %s", run, error)
            why = str(error).partition(";")[0].replace(f"{folder}{os.sep}", "")
            if isinstance(error, OSError):
                why = f"{Path(error.filename or folder).name}: {error.strerror}"
            remedy = self._remedy(run)
            if FILE in why:
                remedy = f"make the verdict again (maestro verdict {run} --force)."
            raise RunUnavailable(
                f"{self.whole} {run} cannot be read on the server: {why}; ask an admin to {remedy}", 500
            ) from error

    def _body(self, key: tuple[Any, ...], make: Any) -> bytes:
        with self._in_words(key[0]):
            return self._kept_or_made((*key, self._written(key[0])), make)

    def _kept_or_made(self, key: tuple[Any, ...], make: Any) -> bytes:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        body: bytes = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = body
                self._size += len(body)
            while self._size > _KEPT and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
        return body

    def _manifest(self, run: str) -> bytes:
        store = RunStore(self.runs_dir / run)
        if store.manifest()["status"] != "done":
            raise RunError(f"run {run} is not finished; follow its job.")
        return (store.folder / "manifest.json").read_bytes()

    def _table(self, run: str, name: str, form: str) -> bytes:
        if form == "parquet" and (content := self._parquet(run, name)) is not None:
            return content
        table = self._frame(run, name)
        if form == "arrow":
            target = io.BytesIO()
            table.write_ipc_stream(target)
            return target.getvalue()
        return dumps({"columns": table.columns, "rows": table.rows()}).encode()

    def _parquet(self, run: str, name: str) -> bytes | None:
        """Return a file as it lies on disk; None if it is not what the manifest vouches for."""
        store = RunStore(self._folder(run))
        manifest, path = store.manifest(), store.folder / f"{name}.parquet"
        if manifest["status"] == "done" and path.exists():
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == manifest["sha256"].get(name):
                return content
        return None

    def _frame(self, run: str, name: str) -> pl.DataFrame:
        return RunStore(self._folder(run)).tables()[name]  # raises where it is unfinished or damaged

    def _document(self, run: str) -> dict[str, Any]:
        wf = self.load(run)
        return {
            "id": wf.id, "metrics": wf.metrics, "benchmark": wf.benchmark, "efficiency": wf.efficiency,
            "calendar": wf.calendar, "notes": wf.notes, "spec": wf.spec.to_dict(), "folds": wf.folds.to_dicts(),
            "seconds": wf.manifest.get("seconds"), "started": wf.manifest["started"],
            "versions": wf.manifest["versions"], "sha256": wf.manifest["sha256"],
        }  # fmt: skip
