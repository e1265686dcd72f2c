"""Runs on disk: atomic, resumed at the missing fold, listed, reloaded, removed."""

from maestro.runs.identity import describe, run_id, source_hash, versions
from maestro.runs.script import python_lines
from maestro.runs.store import RunStore, find, list_runs, remove

__all__ = ["RunStore", "describe", "find", "list_runs", "python_lines", "remove", "run_id", "source_hash", "versions"]
