"""Bodies of finished backtests: summary, schema of 2020, manifest, and tables as JSON, Arrow and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.json import dumps
from maestro._core.parquet import read_parquet_bytes
from maestro.errors import JobError
from maestro.runs.backtests import FOLDER, TABLES, BacktestStore
from maestro.runs.store import MANIFEST
from maestro.service.web.tables import Bodies


class BacktestBodies(Bodies):
    """Answers about backtests; errors as of `Bodies`."""

    tables = TABLES
    whole = "backtest"

    def v1(self, run: str) -> bytes:
        """Return the result in the schema of 2020."""
        return self._body((run, "v1", "json"), lambda: dumps(self._store(run).load().to_v1()).encode())

    def report(self, run: str) -> bytes:
        """Refuse: only a walk-forward has a report."""
        raise JobError(f"backtest {run} has no report, as it is not out of sample; submit a walk-forward for one.")

    def verdict(self, run: str) -> bytes:
        """Refuse: only a walk-forward has a verdict."""
        raise JobError(f"backtest {run} has no verdict, as it is not out of sample; submit a walk-forward for one.")

    def is_kept(self, run: str) -> bool:
        """Whether a backtest is on disk, be it damaged."""
        return self._store(run).exists

    def _store(self, run: str) -> BacktestStore:
        return BacktestStore(self.runs_dir, run)

    def _folder(self, run: str) -> Path:
        return self.runs_dir / FOLDER / run

    def _remedy(self, run: str) -> str:
        return f"remove the folder {FOLDER}/{run} of the runs, then submit its specification again."

    def _manifest(self, run: str) -> bytes:
        store = self._store(run)
        store.manifest()
        return (store.folder / MANIFEST).read_bytes()

    def _parquet(self, run: str, name: str) -> bytes | None:
        return self._store(run).table(name)

    def _frame(self, run: str, name: str) -> pl.DataFrame:
        return read_parquet_bytes(self._store(run).table(name))

    def _document(self, run: str) -> dict[str, Any]:
        manifest = self._store(run).manifest()
        names = ("id", "kind", "metrics", "notes", "spec", "seconds", "versions", "sha256")
        return {name: manifest[name] for name in names}
