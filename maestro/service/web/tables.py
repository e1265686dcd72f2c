"""Bodies of finished runs as JSON, Arrow and Parquet; a finished run never changes, so they are kept as bytes."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from maestro._core.json import dumps
from maestro.errors import RunError
from maestro.runs import RunStore
from maestro.runs.store import TABLES
from maestro.walkforward.result import WalkForward, load_stored

TYPES = {
    "json": "application/json",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
_KEPT = 64 * 2**20


class Bodies:
    """Answers about runs, the ones asked for last kept in memory."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._kept: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def table(self, run: str, name: str, form: str) -> bytes:
        """Return a table, ``equity``, ``trades``, ``folds`` or ``trials``.

        Raises
        ------
        RunError
            The run is not finished, or damaged.
        """
        return self._body((run, name, form), lambda: self._table(run, name, form))

    def manifest(self, run: str) -> bytes:
        """Return the manifest as it lies on disk, sealed."""
        return self._body((run, "manifest", "json"), lambda: self._manifest(run))

    def summary(self, run: str) -> bytes:
        """Return everything that a program wants of a run in one go, without its tables."""
        return self._body((run, "summary", "json"), lambda: dumps(_document(self.load(run))).encode())

    def v1(self, run: str) -> bytes:
        """Return the result in the schema of 2020."""
        return self._body((run, "v1", "json"), lambda: dumps(self.load(run).to_v1()).encode())

    def load(self, run: str) -> WalkForward:
        """Load the run."""
        return load_stored(RunStore(self.runs_dir / run))

    def _body(self, key: tuple[str, str, str], make: Any) -> bytes:
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
        assert name in TABLES
        store = RunStore(self.runs_dir / run)
        if form == "parquet":
            manifest = store.manifest()
            if manifest["status"] == "done":
                content = (store.folder / f"{name}.parquet").read_bytes()
                if hashlib.sha256(content).hexdigest() == manifest["sha256"][name]:
                    return content
        table = store.tables()[name]  # raises where it is unfinished or damaged
        if form == "arrow":
            target = io.BytesIO()
            table.write_ipc_stream(target)
            return target.getvalue()
        return dumps({"columns": table.columns, "rows": table.rows()}).encode()


def _document(wf: WalkForward) -> dict[str, Any]:
    return {
        "id": wf.id, "metrics": wf.metrics, "benchmark": wf.benchmark, "efficiency": wf.efficiency,
        "calendar": wf.calendar, "notes": wf.notes, "spec": wf.spec, "folds": wf.folds.to_dicts(),
        "seconds": wf.manifest.get("seconds"), "started": wf.manifest["started"],
        "versions": wf.manifest["versions"], "sha256": wf.manifest["sha256"],
    }  # fmt: skip
