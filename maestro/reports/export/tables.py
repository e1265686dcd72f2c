"""A run as tables for other programs: one Excel workbook, or a folder of CSV or Parquet files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.atomic import remove_leftovers, temporary_path, write_atomic
from maestro._core.parquet import parquet_bytes
from maestro.errors import RunError, SettingsError
from maestro.walkforward.result import WalkForward

FORMS = ("xlsx", "csv", "parquet")
"""What a run is exported as, by the ending of the path."""
TABLES = ("folds", "trials", "trades", "equity", "metrics")
_STAMP = "%Y-%m-%dT%H:%M:%S%.fZ"
_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula in a CSV file."""
_RECORD = "run.json"


def export_run(wf: WalkForward, path: str | os.PathLike[str], *, form: str | None = None) -> Path:
    """Write a run's summary, folds, trials, trades and equity; returns the path.

    Parameters
    ----------
    wf : WalkForward
    path : str or Path
        ``run.xlsx`` is one workbook with charts. ``run.csv`` and ``run.parquet`` are folders with a file a table
        (folds, trials, trades, equity, metrics) and ``run.json`` (settings, metrics, notes, versions).
    form : {"xlsx", "csv", "parquet"}, optional
        In place of the path's ending.

    Raises
    ------
    SettingsError
        Neither an ending nor a form says as what.
    RunError
        The path cannot be written, or is a folder of something else.
    MissingExtraError
        A workbook without the library for it.

    Notes
    -----
    What is no number (NaN, null) is an empty cell, in Parquet as it is. In a CSV file text that a spreadsheet would
    take for a formula gets an apostrophe in front; in a workbook text is text. Moments are UTC. Written whole or not
    at all: an earlier export is replaced, anything else is refused.
    """
    target = Path(path)
    chosen = form or target.suffix.lower().removeprefix(".")
    if chosen not in FORMS:
        raise SettingsError(
            f"{target} does not say as what to export; end it in .xlsx (a workbook), .csv or .parquet (a folder), "
            f"or give form={' or '.join(FORMS)}."
        )
    if chosen == "xlsx":
        from maestro.reports.export.excel import write_workbook

        return write_workbook(wf, target)
    files = {f"{name}.{chosen}": _content(frame, chosen) for name, frame in tables(wf).items()}
    files[_RECORD] = (json.dumps(_record(wf), indent=1, default=str) + "\n").encode()
    _write_folder(target, files)
    return target


def tables(wf: WalkForward) -> dict[str, pl.DataFrame]:
    """Return the tables of an export: folds, trials, trades, equity, and the metrics of the whole."""
    metrics = pl.DataFrame(
        {"metric": list(wf.metrics), "value": [float(value) for value in wf.metrics.values()]},
        schema={"metric": pl.String, "value": pl.Float64},
    )
    return {"folds": wf.folds, "trials": wf.trials, "trades": wf.trades, "equity": wf.equity, "metrics": metrics}


def _record(wf: WalkForward) -> dict[str, Any]:
    return {
        "id": wf.id, "strategy": wf.spec.strategy, "bars": wf.spec.series, "metrics": _plain(wf.metrics),
        "notes": list(wf.notes), "spec": wf.spec.to_dict(),
        "manifest": {key: value for key, value in wf.manifest.items() if key != "spec"},
    }  # fmt: skip


def _plain(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: value if abs(value) < float("inf") else None for name, value in metrics.items()}


def _content(frame: pl.DataFrame, form: str) -> bytes:
    if form == "parquet":
        return parquet_bytes(frame)
    safe = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if kind.is_float():
            column = pl.when(column.is_finite()).then(column)
        elif kind == pl.String:
            risky = pl.any_horizontal(column.str.starts_with(sign) for sign in _RISKY)
            column = pl.when(risky).then(pl.lit("'") + column).otherwise(column)
        elif not (kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean):
            column = column.cast(pl.String)
        safe.append(column.alias(name))
    return frame.select(safe).write_csv(datetime_format=_STAMP).encode()


def _write_folder(target: Path, files: dict[str, bytes]) -> None:
    """Write the files into a folder beside, then put that in the place of an earlier export."""
    _refuse_foreign(target)
    beside = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        beside = temporary_path(target)
        beside.mkdir()
        for name, content in files.items():
            write_atomic(beside / name, content, sync=False)
        if target.exists():
            old = temporary_path(target)
            os.rename(target, old)
            os.rename(beside, target)
            shutil.rmtree(old)
        else:
            os.rename(beside, target)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {target}: {reason}; choose a path that can be written to.") from error
    finally:
        if beside is not None and beside.exists():
            shutil.rmtree(beside)


def _refuse_foreign(target: Path) -> None:
    """Refuse a place that holds anything but an earlier export of a run."""
    if target.is_symlink():
        raise RunError(f"{target} is a symbolic link; give the folder that it leads to, or choose another path.")
    if not target.exists():
        return
    names = {file.name for file in target.iterdir()} if target.is_dir() else set()
    if target.is_dir() and not names:
        return
    try:
        record = json.loads((target / _RECORD).read_bytes())
        ours = isinstance(record, dict) and {"id", "spec", "manifest"} <= record.keys()
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise RunError(f"{target} exists and is not an export of a run; choose another path.")
    written = {f"{name}.{form}" for name in TABLES for form in FORMS} | {_RECORD}
    foreign = sorted(names - written)
    if foreign:
        raise RunError(f"{target} holds {foreign[0]!r}, which no export wrote; move it away, or choose another path.")
