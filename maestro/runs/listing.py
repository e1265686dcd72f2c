"""The runs in a folder as a table, one row per run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from maestro.errors import RunError, RunSchemaError
from maestro.runs.annotations import read_annotations
from maestro.runs.store import RunStore, run_folders, spec_of


def list_runs(runs_dir: str | Path = "runs") -> pl.DataFrame:
    """Return the runs in a folder, the newest first.

    Columns id, status, strategy, bars, folds, started, seconds, sharpe_ratio, total_return; then its annotations
    pinned, tags and note, null where their file is damaged. The status is ``done``, ``running`` in some process,
    ``interrupted`` (cancelled, stopped or killed: the same walk-forward continues it), ``damaged`` if the manifest
    cannot be read, or ``other version`` if another version of Maestro wrote it in a form that this one does not read.
    """
    rows: list[dict[str, Any]] = []
    for folder in run_folders(Path(runs_dir)):
        try:
            store = RunStore(folder)
            manifest = store.manifest()
            status, spec = store.status_of(manifest), spec_of(manifest)
        except RunSchemaError:
            rows.append({"id": folder.name, "status": "other version"})
            continue
        except RunError:
            rows.append({"id": folder.name, "status": "damaged"})
            continue
        metrics = manifest.get("metrics") or {}
        rows.append(
            {
                "id": folder.name,
                "status": status,
                "strategy": spec.strategy,
                "bars": spec.bars.name,
                "folds": manifest["n_folds"],
                "started": manifest["started"],
                "seconds": manifest.get("seconds"),
                "sharpe_ratio": metrics.get("sharpe_ratio"),
                "total_return": metrics.get("total_return"),
                **_annotated(folder),
            }
        )
    schema: dict[str, Any] = {
        "id": pl.String, "status": pl.String, "strategy": pl.String, "bars": pl.String, "folds": pl.Int64,
        "started": pl.String, "seconds": pl.Float64, "sharpe_ratio": pl.Float64, "total_return": pl.Float64,
        "pinned": pl.Boolean, "tags": pl.List(pl.String), "note": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema).sort("started", descending=True, nulls_last=True)


def _annotated(folder: Path) -> dict[str, Any]:
    try:
        found = read_annotations(folder)
    except RunError:
        return {}
    return {"pinned": found.pinned, "tags": list(found.tags), "note": found.note}
