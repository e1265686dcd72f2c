"""What the Walk-forward app computes, without a page: windows, a run, a fold's curve, a map of trials."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.temporary import new_folder
from maestro.apps.shared import studies
from maestro.apps.walk_forward.job import arguments
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.bars import Bars
from maestro.execution import events as ev
from maestro.reproduce.plan import recorded_plan, windows_of
from maestro.walkforward.result import WalkForward
from maestro.walkforward.run import walk_forward
from maestro.walkforward.splitter_text import splitter_of
from maestro.walkforward.splitters import Window, checked

_DASHBOARD = """import sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="optuna-dashboard")
sys.exit(command.load()())"""


def windows(splitter: str, bars: Bars) -> list[Window]:
    """Where the folds lie, before anything runs; `SplitError` where they do not fit."""
    return checked(splitter_of(splitter).split(bars), len(bars))


def run(
    state: WalkForwardState, bars: Bars, *, keep: bool, progress: ev.Listener | None = None,
    cancel: threading.Event | None = None,
) -> WalkForward:  # fmt: skip
    """Run what the state says; `keep` writes it to the folder of runs, where an interrupted one goes on.

    Raises
    ------
    MaestroError
        What a setting, the data or the strategy refuses; `RunCancelled`.
    """
    return walk_forward(
        bars, state.chosen(), **arguments(state), cancel=cancel, progress=False if progress is None else progress,
        runs_dir=state.runs_dir if keep else None, executor=None if keep else "serial",
    )  # fmt: skip


class Dashboard:
    """An optuna-dashboard of a run's studies on a port of its own; ends with `stop`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._token = ""

    def open(self, wf: WalkForward, below: bool = False) -> str:
        """Write the studies and serve them; returns the address, `below` that of the apps."""
        import socket

        self.stop()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._folder = new_folder("studies")
        journal = self._folder / f"{wf.id}.log"
        wf.to_optuna(journal)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _DASHBOARD, str(journal), "--host", "127.0.0.1", "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if below:
            self._token = studies.offer(port)
            return f"studies/{self._token}/dashboard"
        return f"http://127.0.0.1:{port}/dashboard"

    def stop(self) -> None:
        """End the server."""
        studies.withdraw(self._token)
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def last_choice(wf: WalkForward, own: Any) -> dict[str, Any] | None:
    """Parameters that the last fold that did not fail chose, with the fixed ones; None if all failed."""
    rows = [row for row in wf.folds.iter_rows(named=True) if row["error"] is None]
    if not rows:
        return None
    return dict(recorded_plan(wf, None if wf.plan is not None else own).space.from_row(rows[-1]))


def fold_curve(wf: WalkForward, bars: Bars, fold: int, own: Any) -> pl.DataFrame:
    """Growth of 1 in a fold with its chosen parameters: training, then test.

    Returns
    -------
    polars frame: timestamp, growth, part ("in sample", "out of sample"); empty for a fold that failed
    """
    row = wf.folds.row(fold, named=True)
    if row["error"] is not None:
        return pl.DataFrame(schema={"timestamp": pl.Datetime("us", "UTC"), "growth": pl.Float64, "part": pl.String})
    plan = recorded_plan(wf, None if wf.plan is not None else own)
    params, window = plan.space.from_row(row), windows_of(wf)[fold]
    parts, level = [], 1.0
    for part, simulator in (
        ("in sample", plan.simulator(window.training(bars))),
        ("out of sample", plan.test_simulator(bars, window)),
    ):
        bt = plan.backtest(simulator, params)
        growth = level * np.cumprod(1.0 + bt.returns)
        level = float(growth[-1])
        stamps = pl.Series("timestamp", bt.bars.time).cast(pl.Datetime("us", "UTC"))
        parts.append(pl.DataFrame({"timestamp": stamps, "growth": growth, "part": [part] * len(growth)}))
    return pl.concat(parts)


def cells(wf: WalkForward, x: str, y: str, metric: str, *, fold: int | None = None, steps: int = 24) -> pl.DataFrame:
    """Mean metric of the trials over a grid of two parameters: x, y (middles), width, height, mean, trials."""
    table = wf.trials.filter(pl.col(metric).cast(pl.Float64).is_finite())
    table = table if fold is None else table.filter(pl.col("fold") == fold)
    edges: dict[str, Any] = {}
    for name in (x, y):
        values = table[name].cast(pl.Float64).to_numpy()
        low, width = _bins(values, steps)
        edges[name] = (low, width, np.minimum(((values - low) / width).astype(int), steps - 1))
    grid = pl.DataFrame({"i": edges[x][2], "j": edges[y][2], "value": table[metric].cast(pl.Float64)})
    found = grid.group_by("i", "j", maintain_order=True).agg(mean=pl.col("value").mean(), trials=pl.len())
    return found.select(
        x=edges[x][0] + (pl.col("i") + 0.5) * edges[x][1],
        y=edges[y][0] + (pl.col("j") + 0.5) * edges[y][1],
        width=pl.lit(edges[x][1]), height=pl.lit(edges[y][1]), mean="mean", trials="trials",
    )  # fmt: skip


def _bins(values: Any, most: int) -> tuple[float, float]:
    """Lower end and width of at most so many bins; of a grid, each bin holds as many values as any other."""
    unique = np.unique(values)
    if len(unique) < 2:
        return (float(unique[0]) - 0.5 if len(unique) else 0.0), 1.0
    low, high, unit = float(unique[0]), float(unique[-1]), float(np.diff(unique).min())
    if (unique == np.round(unique)).all():
        unit = float(np.gcd.reduce(np.diff(unique).astype(np.int64)))
    apart = np.diff(unique) / unit
    if not np.allclose(apart, np.round(apart), rtol=0, atol=1e-6):  # a continuous range
        return low, (high - low) / most
    return low - unit / 2, unit * -(-(round((high - low) / unit) + 1) // most)
