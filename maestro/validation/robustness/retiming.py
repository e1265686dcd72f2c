"""Re-optimisation at other times: does a trigger beat regular intervals, or chance?"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from maestro import metrics as m
from maestro._core.markup import Markup, html, table
from maestro.bars import Bars
from maestro.errors import RunCancelled, SettingsError, nearest
from maestro.execution.choose import choose
from maestro.execution.counting import counting
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan, repeatable, windows_of
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray
from maestro.validation.statistics.permutation import walk
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import SHORTEST, Window


@dataclass(frozen=True)
class Retiming:
    """Result of `retiming`.

    Attributes
    ----------
    metric : str
    own : float
        Of the run, out of sample.
    calendar : float
        Result with as many test windows of equal length over the same bars.
    random : float64[repetitions]
        Results with as many test windows that end at random times; NaN if undefined.
    repetitions, seed : int

    Notes
    -----
    Random times with an undefined metric, mostly because nothing was traded, count as worse than a run
    with a defined one.
    """

    metric: str
    own: float
    calendar: float
    random: FloatArray
    repetitions: int
    seed: int

    @property
    def rank(self) -> float:
        """Share of the random runs that the run beats, ties as half; about one half if the times do not matter."""
        if not np.isfinite(self.random).any() or not math.isfinite(self.own):
            return math.nan
        values = self._values
        return float(((values < self.own).sum() + 0.5 * (values == self.own).sum()) / len(values))

    @property
    def pvalue(self) -> float:
        """(1 + number of random runs at least as good) / (1 + repetitions); NaN if `rank` is."""
        if math.isnan(self.rank):
            return math.nan
        return float((1 + (self._values >= self.own).sum()) / (1 + len(self.random)))

    @property
    def _values(self) -> FloatArray:
        return np.where(np.isfinite(self.random), self.random, -np.inf)

    @property
    def summary(self) -> str:
        """In a sentence."""
        if math.isnan(self.rank):
            return f"The {self.metric} of the run or of all random times is not defined."
        return (
            f"The run's {self.metric} is {self.own:.3f}; re-optimised as often on the calendar it is "
            f"{self.calendar:.3f}, and at random times it is lower in {self.rank:.0%} of {self.repetitions} cases "
            f"(p = {self.pvalue:.3g})."
        )

    def __repr__(self) -> str:
        return f"Retiming({self.summary})"

    def _repr_html_(self) -> str:
        known = self.random[np.isfinite(self.random)]
        median = float(np.median(known)) if len(known) else math.nan
        rows = [
            ("run", f"{self.own:.4g}"),
            ("calendar", f"{self.calendar:.4g}"),
            ("random times, median", f"{median:.4g}"),
        ]
        body: Markup = html("<p>{}</p>{}", self.summary, table((f"re-optimised by {self.metric}", ""), rows))
        return str(body)


def retiming(
    wf: Any, bars: Bars | None = None, *, repetitions: int = 20, metric: str = "sharpe_ratio", seed: int = 0,
    strategy: Any = None, workers: int | None = None, cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Retiming:  # fmt: skip
    """Repeat a walk-forward with as many re-optimisations at random times, and at regular intervals.

    All of them test the same bars, from the run's first test window to its last one, in as many windows; the training
    windows have the length of the run's own, fold by fold. No test window at random times is shorter than the run's
    shortest, since each one ends flat and short ones would cost more. The difference is the value of the run's times.

    Parameters
    ----------
    wf : WalkForward, live or loaded
        Its test windows must follow one another without gaps, as those of `OnRegime`, `Rolling` and `Expanding` do.
    bars : Bars, optional
        Those of the run; loaded again by name if absent.
    repetitions : int
        Number of random choices of times; with 19, the smallest possible p-value is 0.05.
    metric : str
    seed : int
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.
    workers : int, optional
        Processes; all cores if absent. The result does not depend on them.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable gets the number of
        walk-forwards done since the last call.

    Raises
    ------
    SettingsError
        An impossible number, an unknown metric, a search that cannot be repeated, a run with one fold only, or
        one whose test windows overlap or have gaps between them.
    BarsError, RunError, RunCancelled

    Notes
    -----
    Nothing is written and no trial is counted, as nothing is chosen.
    """
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1; 20 is usual.")
    if metric not in m.NAMES:
        raise SettingsError(
            f"no metric is called {metric!r}; there are: {', '.join(m.NAMES)}.{nearest(metric, m.NAMES)}"
        )
    check_seed(seed)
    plan, whole = recorded_plan(wf, strategy), recorded_bars(wf, bars)
    if why := repeatable(wf, plan):
        raise SettingsError(f"run {wf.id} cannot be repeated: {why}.")
    windows = windows_of(wf)
    if len(windows) < 2:
        raise SettingsError(f"run {wf.id} has one fold only, so it was never optimised again.")
    if any(one.test_stop != following.test_start for one, following in pairwise(windows)):
        raise SettingsError(
            f"the test windows of run {wf.id} overlap or have gaps between them, so other times would test other bars; "
            "use a splitter whose test windows follow one another, without an embargo."
        )
    begin, stop = windows[0].test_start, windows[-1].test_stop
    shortest = max(min(w.test_stop - w.test_start for w in windows), SHORTEST)
    even = [round(begin + (stop - begin) * k / len(windows)) for k in range(1, len(windows))]
    spots = [np.random.default_rng([seed, number]) for number in range(repetitions)]
    cuts = [even, *(_random_cuts(rng, begin, stop, len(windows) - 1, shortest) for rng in spots)]
    warm = bool(wf.spec.warm_start)
    tasks = [Task(_repeat, (plan, _windows(windows, one), warm, metric)) for one in cuts]
    try:
        with counting(progress, len(tasks), "times of re-optimisation", "run") as counter:
            chosen = choose(None, workers, len(tasks))
            found = results_of(run_tasks(chosen, tasks, whole, cancel=cancel), counter.done)
    except RunCancelled as error:
        raise RunCancelled("the comparison of times was cancelled; no result is kept.") from error
    return Retiming(metric, wf.metrics[metric], found[0], np.array(found[1:]), repetitions, seed)


def _random_cuts(rng: np.random.Generator, begin: int, stop: int, count: int, shortest: int) -> list[int]:
    """Ends of test windows of at least the shortest length; all ways to share the other bars are equally likely."""
    spare = stop - begin - (count + 1) * shortest
    steps = np.sort(rng.choice(spare + count, count, replace=False)) - np.arange(count)
    return [int(begin + step + shortest * (k + 1)) for k, step in enumerate(steps)]


def _windows(own: list[Window], cuts: list[int]) -> list[Window]:
    """Windows that end at these bars, with the training lengths and gaps of the run's folds."""
    edges = [own[0].test_start, *cuts, own[-1].test_stop]
    made = []
    for window, start, stop in zip(own, edges[:-1], edges[1:], strict=True):
        gap, length = window.test_start - window.train_stop, window.train_stop - window.train_start
        train_stop = max(start - gap, SHORTEST)
        first = 0 if window.train_start == 0 else max(train_stop - length, 0)
        made.append(Window(first, train_stop, start, stop))
    return made


def _repeat(bars: Bars, context: TaskContext, plan: Plan, windows: list[Window], warm: bool, metric: str) -> float:
    """Metric of the stitched out-of-sample stretch with these windows."""
    return walk(bars, plan, windows, warm, context.cancelled)[metric]
