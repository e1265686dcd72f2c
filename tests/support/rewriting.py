"""A table of a run on disk that was changed by somebody who knows how a manifest vouches for it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from maestro.runs.store import _manifest


def rewritten(folder: Path | None, table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a table and make the manifest vouch for it."""
    assert folder is not None
    path, manifest = folder / f"{table}.parquet", json.loads((folder / "manifest.json").read_text())
    buffer = io.BytesIO()
    change(pl.read_parquet(path)).write_parquet(buffer)
    path.write_bytes(buffer.getvalue())
    manifest["sha256"][table] = hashlib.sha256(buffer.getvalue()).hexdigest()
    manifest.pop("seal")
    (folder / "manifest.json").write_bytes(_manifest(manifest))
