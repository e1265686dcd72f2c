"""Current parameters: the run's own search on the most recent training window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import html, table
from maestro.bars import Bars
from maestro.data.durations import offset
from maestro.data.timeframes import as_datetime, bar_ends
from maestro.errors import BarsError, RunError, SettingsError
from maestro.ledger import uncounted
from maestro.metrics import NAMES
from maestro.reproduce.bars import described_as, recorded_bars
from maestro.reproduce.plan import recorded_plan, repeatable, windows_of
from maestro.search.space import Space
from maestro.walkforward.fold import search_fold
from maestro.walkforward.splitters import Window


@dataclass(frozen=True)
class Now:
    """Result of `now`.

    Attributes
    ----------
    run, strategy, series : str
    params : dict
        The chosen parameters, complete.
    trained_from, trained_until : datetime
        Open of the first training bar, and end of the last one.
    in_sample : dict of float
        Metrics on the training window.
    trials : polars.DataFrame
        As `WalkForward.trials`; the fold is the number of the next one.
    changes : polars.DataFrame
        One row per searched parameter: parameter, now, last (choice of the last fold), median, lowest and highest of
        the folds' choices (null for options), moved (distance from the last choice as a share of the searched range).
    """

    run: str
    strategy: str
    series: str
    params: dict[str, Any]
    trained_from: datetime
    trained_until: datetime
    in_sample: dict[str, float]
    trials: pl.DataFrame
    changes: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; NaN is None."""
        return {
            "run": self.run, "strategy": self.strategy, "series": self.series, "params": self.params,
            "trained_from": self.trained_from.isoformat(), "trained_until": self.trained_until.isoformat(),
            "in_sample": {k: v if math.isfinite(v) else None for k, v in self.in_sample.items()},
            "changes": self.changes.to_dicts(),
        }  # fmt: skip

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return (
            f"Now({self.strategy}({values}), trained {self.trained_from:%Y-%m-%d} to "
            f"{self.trained_until:%Y-%m-%d %H:%M} UTC)"
        )

    def _repr_html_(self) -> str:
        rows = [(name, str(value)) for name, value in self.params.items()]
        rows += [("trained", f"{self.trained_from:%Y-%m-%d %H:%M} to {self.trained_until:%Y-%m-%d %H:%M} UTC")]
        return str(html("<p><b>{}</b> on {}, current parameters</p>{}", self.strategy, self.series, table((), rows)))


def now(wf: Any, bars: Bars | None = None, *, strategy: Any = None) -> Now:
    """Repeat the run's search and selection on the most recent training window.

    The result is the choice that the next fold of the same walk-forward would make: the same method,
    number of trials, ranking and seed. The training window is as long as the run's last one (by the calendar for
    `Calendar` and `OnRegime`, as if the next bar opened when the last one ends; from the first bar on if all windows
    begin there) and ends with the last bar, less the purge.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        The run's bars, or the same bars followed by newer ones; by default the run's.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.

    Raises
    ------
    BarsError
        The bars do not begin with the run's.
    RunError
        The search cannot be repeated, or no trial can be chosen.
    """
    plan, whole = recorded_plan(wf, strategy), extended_bars(wf, bars)
    if why := repeatable(wf, plan):
        raise RunError(f"run {wf.id} cannot be searched again: {why}.")
    windows = windows_of(wf)
    window = next_window(wf, whole, windows)
    fold = len(windows)
    last = _last_choice(wf, plan.space)
    first = [{name: last[name] for name in plan.space.names}] if wf.spec.warm_start and last else []
    with uncounted("current parameters"):
        result = search_fold(plan, whole, window, fold, first=first)
    if result.chosen is None or result.chosen.metrics is None:
        raise RunError(f"no parameters can be chosen on the most recent training window: {result.error}")
    values = dict(zip(NAMES, np.asarray(result.chosen.metrics).tolist(), strict=True))
    return Now(
        wf.id, wf.spec.strategy, wf.spec.bars.name, dict(result.chosen.params),
        as_datetime(int(whole.time[window.train_start])), end_of(whole, window.train_stop - 1), values, result.trials,
        _changes(wf, plan.space, result.chosen.params, last),
    )  # fmt: skip


def extended_bars(wf: Any, bars: Bars | None) -> Bars:
    """Return the bars of a run, or `bars` if they begin with them; either with the bars per year of the run.

    Raises
    ------
    BarsError
        They begin with other bars.
    """
    if bars is None:
        return recorded_bars(wf)
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    wanted = wf.spec.bars
    if len(bars) < wanted.n or bars[: wanted.n].fingerprint != wanted.fingerprint:
        raise BarsError(
            f"these bars do not begin with those of run {wf.id} ({wanted.name}, {wanted.n:,} bars from "
            f"{wanted.start:%Y-%m-%d %H:%M} UTC); give the same bars followed by newer ones."
        )
    return described_as(bars, wf.spec)


def next_window(wf: Any, bars: Bars, windows: list[Window]) -> Window:
    """Training window that ends with the last bar; its test window lies in the future."""
    how, n = wf.spec.splitter, len(bars)
    stop = n - int(how.settings.get("purge", 0) or 0)
    if how.kind in ("Calendar", "OnRegime"):
        ends = int(end_of(bars, n - 1).timestamp() * 1_000_000)
        start = int(np.searchsorted(bars.time, offset(ends, f"-{how.settings['train']}")))
    elif len({w.train_start for w in windows}) == 1 and len(windows) > 1:
        start = windows[0].train_start
    else:
        start = max(0, stop - (windows[-1].train_stop - windows[-1].train_start))
    return Window(start, stop, n, n)


def end_of(bars: Bars, row: int) -> datetime:
    """End of a bar."""
    return as_datetime(int(bar_ends(bars.time[row : row + 1], bars.timeframe)[0]))


def _last_choice(wf: Any, space: Space) -> dict[str, Any] | None:
    good = wf.folds.filter(pl.col("error").is_null()).sort("fold")
    return space.from_row(good.row(-1, named=True)) if len(good) else None


def _changes(wf: Any, space: Space, chosen: dict[str, Any], last: dict[str, Any] | None) -> pl.DataFrame:
    """Distance of the current parameters from those of the folds."""
    good = wf.folds.filter(pl.col("error").is_null())
    cells, before = space.row(chosen), None if last is None else space.row(last)
    rows = []
    for d in space.dimensions:
        span = d.high - d.low
        moved = math.nan
        if last is not None:
            far = abs(d.encode(chosen[d.name]) - d.encode(last[d.name]))
            moved = float(far > 0) if d.options else far / span if span > 0 else 0.0
        numeric = not d.options and len(good) > 0
        column: Any = good[d.name] if numeric else None
        rows.append(
            {
                "parameter": d.name, "now": str(cells[d.name]), "last": None if before is None else str(before[d.name]),
                "median": float(column.median()) if numeric else None,
                "lowest": float(column.min()) if numeric else None,
                "highest": float(column.max()) if numeric else None, "moved": moved,
            }
        )  # fmt: skip
    schema: Any = {
        "parameter": pl.String, "now": pl.String, "last": pl.String, "median": pl.Float64, "lowest": pl.Float64,
        "highest": pl.Float64, "moved": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema)
