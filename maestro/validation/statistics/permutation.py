"""Permutation test: the whole walk-forward repeated on permuted returns, in which there is nothing to find."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.data.files.names import OPTIONAL
from maestro.errors import RunCancelled, SettingsError, nearest
from maestro.execution.choose import Work, check, choose
from maestro.execution.counting import counting
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan, repeatable, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray, IntArray
from maestro.walkforward.effort import work_of_folds
from maestro.walkforward.fold import run_fold
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window
from maestro.walkforward.tables import assemble, fold_tables, stitched_metrics


@dataclass(frozen=True)
class Permutation:
    """Result of `permutation_test`.

    Attributes
    ----------
    metric : str
        Of the stitched out-of-sample stretch.
    observed : float
        On the real bars.
    null : float64[n]
        On permuted ones, in order of the repetitions; those without a number are left out.
    pvalue : float
        (1 + number of `null` at or above `observed`) / (1 + number of repetitions); NaN where there is nothing to
        compare.
    undefined : int
        Repetitions in which the metric is not defined, mostly because nothing was traded: they did not do as well.
    repetitions, seed, block : int
    """

    metric: str
    observed: float
    null: FloatArray
    undefined: int
    repetitions: int
    seed: int
    block: int = 1

    @property
    def pvalue(self) -> float:
        """Share of the series without an edge on which the result was at least as good."""
        n = len(self.null) + self.undefined
        if not n or math.isnan(self.observed):
            return math.nan
        return float((1 + (self.null >= self.observed).sum()) / (1 + n))

    def __repr__(self) -> str:
        quantiles = (
            ", ".join(f"{q:.3g}" for q in np.quantile(self.null, [0.05, 0.5, 0.95])) if len(self.null) else "none"
        )
        undefined = f", {self.undefined} undefined" if self.undefined else ""
        return (
            f"Permutation({self.metric} {self.observed:.3g} against {len(self.null)} permuted series{undefined} "
            f"(5 %, 50 %, 95 %: {quantiles}); p = {self.pvalue:.4f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; `from_dict` reads them."""
        return {
            "metric": self.metric, "observed": self.observed, "null": self.null.tolist(), "undefined": self.undefined,
            "repetitions": self.repetitions, "seed": self.seed, "block": self.block,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Permutation:
        """Read what `to_dict` returned."""
        return cls(**{**form, "null": np.asarray(form["null"], np.float64)})


def permuted_bars(bars: Bars, seed: Any = 0, *, block: int = 1) -> Bars:
    """Bars with the same returns in another order, which removes everything predictable from the past.

    Each bar keeps its shape (the step from the close before to its open, and high, low and close against the open)
    and its volume, and moves as a whole; the first bar stays. So the returns, gaps and ranges are the same, and so is
    the total return, drift included. Timestamps stay where they are. Funding, open interest and
    basis stay in place too: they keep their own course, but not their relation to prices.

    Parameters
    ----------
    bars : Bars
        At least 3.
    seed : int, or what `numpy.random.default_rng` takes
    block : int
        Number of bars that move together: patterns shorter than the block, and part of volatility clustering, remain.

    Returns
    -------
    Bars
        Marked as synthetic, with a note, and named ``…-PERMUTED``, so that trials on them have their own ledger.

    Raises
    ------
    SettingsError
        Fewer than 3 bars, or a block that leaves nothing to permute.
    """
    n = len(bars)
    if n < 3:
        raise SettingsError(f"{n} bars have no order to permute; give at least 3.")
    if isinstance(block, bool) or not isinstance(block, int) or not 1 <= block <= (n - 1) // 2:
        raise SettingsError(f"block={block!r} is not a whole number from 1 to {(n - 1) // 2}, half of the bars.")
    return reordered_bars(bars, 1 + drawn_order(n - 1, block, np.random.default_rng(seed)))


def reordered_bars(bars: Bars, order: IntArray) -> Bars:
    """Bars whose returns, gaps, ranges and volumes after the first bar are in the given order.

    Parameters
    ----------
    bars : Bars
    order : int64[n - 1]
        A permutation of 1 to n - 1: the bar at each position after the first.
    """
    opens, close = bars.open, bars.close
    gap = np.log(opens[1:] / close[:-1])
    body = np.log(close / opens)
    order_gap, order_body = gap[order - 1], body[order]
    level = np.log(close[0]) + np.concatenate(([0.0], np.cumsum(order_gap + order_body)))
    new_close = np.exp(level)
    new_open = np.concatenate((opens[:1], np.exp(level[:-1] + order_gap)))
    kept = np.concatenate(([0], order))
    new_close[0] = close[0]
    new_high = new_open * (bars.high / opens)[kept]
    new_low = new_open * (bars.low / opens)[kept]
    columns: dict[str, Any] = {
        "time": bars.time,
        "open": new_open,
        "high": np.maximum(new_high, new_close),  # equal numbers part in the last digit when they are multiplied
        "low": np.minimum(new_low, new_close),
        "close": new_close,
        "volume": np.ascontiguousarray(bars.volume[kept]),
    }
    for values in columns.values():
        values.flags.writeable = False
    columns |= {name: getattr(bars, name) for name in OPTIONAL if getattr(bars, name) is not None}
    permuted = Bars(
        columns, provider=bars.provider, symbol=f"{bars.symbol}-PERMUTED".removeprefix("-"), timeframe=bars.timeframe,
        periods_per_year=bars.periods_per_year, synthetic=True,
        notes=(*bars.notes, f"The returns of {bars.name or 'these bars'} were permuted; this is no market's history."),
    )  # fmt: skip
    permuted.others = bars.others
    return permuted


def drawn_order(n: int, block: int, rng: np.random.Generator) -> IntArray:
    """A permutation of 0..n-1 in blocks; the blocks begin at a random place, so that no boundary is privileged."""
    if block == 1:
        whole: IntArray = rng.permutation(n)
        return whole
    shift = int(rng.integers(block))
    edges = np.unique(np.concatenate(([0], np.arange(shift, n, block), [n])))
    pieces = [np.arange(a, b) for a, b in pairwise(edges)]
    joined: IntArray = np.concatenate([pieces[k] for k in rng.permutation(len(pieces))])
    return joined


def permutation_test(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    repetitions: int = 200,
    metric: str | None = None,
    seed: int = 0,
    block: int = 1,
    strategy: Any = None,
    workers: int | None = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Permutation:
    """Repeat a walk-forward, with its searches, on series with permuted returns.

    The same windows, search, number of trials, seed, selection and costs, on bars in which nothing can be
    predicted. The distribution of the out-of-sample metric shows what the procedure gets out of luck, and out of
    the market's drift, which the permuted series share.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    repetitions : int
        The smallest possible p-value is 0.005 with 199 repetitions, 0.05 with 19.
    metric : str, optional
        The first one of the run's selection if not given.
    seed : int
        Repetition k is drawn from `seed` and k alone: the result does not depend on workers or order, and the first
        19 of 199 repetitions are those of 19.
    block : int
        See `permuted_bars`.
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.
    workers : int, optional
        How many processes at most; all cores if not given. Little work is done in this process.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        gets the number of repetitions done since the last call.

    Notes
    -----
    Nothing is written, and no trial is recorded in the ledger: the series are synthetic, so a result on them
    cannot be chosen for the real one. An adaptive splitter's windows are those of the real bars. Permuting also
    removes volatility clustering; `block` keeps part of it.

    Raises
    ------
    SettingsError
        An impossible number, an unknown metric, or a search that cannot be repeated.
    BarsError, RunError, RunCancelled
    """
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1; 200 is usual.")
    check(None, workers)
    check_seed(seed)
    plan = recorded_plan(wf, strategy)
    why = repeatable(wf, plan)
    if why:
        raise SettingsError(f"run {wf.id} cannot be repeated on other bars: {why}.")
    name = plan.selection.metrics[0] if metric is None else metric
    known = name.removeprefix("-")
    if known not in m.NAMES:
        raise SettingsError(f"no metric is called {name!r}; there are: {', '.join(m.NAMES)}.{nearest(known, m.NAMES)}")
    sign = -1.0 if name.startswith("-") else 1.0
    whole = recorded_bars(wf, bars)
    permuted_bars(whole[: min(len(whole), 2 * block + 1)], 0, block=block)  # refuses an impossible block at once
    windows = windows_of(wf)
    warm = bool(wf.spec.warm_start)
    tasks = [Task(_repeat, (plan, windows, warm, block, known, seed, k)) for k in range(repetitions)]
    executor = choose(None, workers, repetitions, lambda: work_of_permutations(plan, whole, windows, repetitions))
    what = f"{plan.strategy.__name__} on permuted bars"
    try:
        with counting(progress, repetitions, what, "series") as counter:
            found = results_of(run_tasks(executor, tasks, whole, cancel=cancel), counter.done)
    except RunCancelled as error:
        raise RunCancelled("the permutation test was cancelled; no result is kept.") from error
    null = sign * np.array(found)
    own = sign * _stitched(wf, known)
    defined = np.isfinite(null)
    return Permutation(name, own, null[defined], int((~defined).sum()), repetitions, seed, block)


def work_of_permutations(plan: Plan, bars: Bars, windows: Sequence[Window], repetitions: int) -> Work:
    """Return the estimated work of a permutation test."""
    return Work(repetitions * work_of_folds(plan, bars, windows).seconds)


def _stitched(wf: Recorded, metric: str) -> float:
    spec = wf.spec
    return stitched_metrics(wf.equity, wf.folds, wf.trades, spec.cash, spec.periods_per_year)[metric]


def _repeat(
    bars: Bars, context: TaskContext, plan: Plan, windows: list[Window], warm: bool, block: int, metric: str,
    seed: int, number: int,
) -> float:  # fmt: skip
    """Metric of the stitched out-of-sample stretch on the bars of one repetition."""
    made = permuted_bars(bars, np.random.SeedSequence([seed, number]), block=block)
    return walk(made, plan, windows, warm, context.cancelled)[metric]


def walk(bars: Bars, plan: Plan, windows: list[Window], warm: bool, cancelled: Callable[[], bool]) -> dict[str, float]:
    """Metrics of a walk-forward's stitched out-of-sample stretch, without files, ledger or events."""
    tables = walked_tables(bars, plan, windows, warm, cancelled)
    return stitched_metrics(tables["equity"], tables["folds"], tables["trades"], plan.cash, bars.periods_per_year)


def walked_tables(
    bars: Bars, plan: Plan, windows: list[Window], warm: bool, cancelled: Callable[[], bool]
) -> dict[str, pl.DataFrame]:
    """Tables of a walk-forward, without files, ledger or events."""
    kept = []
    before: list[dict[str, Any]] = []
    for fold, window in enumerate(windows):
        if cancelled():
            raise RunCancelled("cancelled")
        result = run_fold(plan, bars, window, fold, first=before if warm else (), cancelled=cancelled)
        chosen = result.chosen
        before = [] if chosen is None or result.error else [{n: chosen.params[n] for n in plan.space.names}]
        kept.append(fold_tables(result, bars, plan.space, plan.cash))
    return assemble(kept, plan.cash)
