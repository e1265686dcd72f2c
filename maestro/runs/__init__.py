"""Runs on disk: written atomically, resumed at the missing fold, listed, reloaded, removed and restored."""

from maestro.runs.annotations import Annotations, annotate, annotations_of
from maestro.runs.backtests import find_stored, list_backtests
from maestro.runs.identity import describe, run_id, source_hash, versions
from maestro.runs.listing import list_runs
from maestro.runs.script import python_lines
from maestro.runs.spec import RunSpec
from maestro.runs.store import RunStore, find
from maestro.runs.trash import empty_trash, remove, restore, trashed

__all__ = [
    "Annotations", "RunSpec", "RunStore", "annotate", "annotations_of", "describe", "empty_trash", "find",
    "find_stored", "list_backtests", "list_runs", "python_lines", "remove", "restore", "run_id", "source_hash",
    "trashed", "versions",
]  # fmt: skip
