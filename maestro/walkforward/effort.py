"""Estimated duration of a walk-forward or a sweep, from the time of one parameter set; no result depends on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from maestro.bars import Bars
from maestro.errors import SettingsError, WarmupError
from maestro.execution.choose import Work
from maestro.indicators import ColumnCache, using
from maestro.search.sampling import propose_all
from maestro.search.space import Space
from maestro.strategies.base import warmup_excess
from maestro.typing import Parameters
from maestro.walkforward.fold import evaluator
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Window

_PROPOSAL = {"tpe": 1e-4, "optuna": 2e-3}
"""Seconds that a search itself takes per trial; others take next to nothing."""
_TPE_GROWTH = 1.2e-7
"""Seconds that TPE adds per trial for each trial of the search and parameter: it compares with all trials before."""
_LONG = 20_000
"""Bars from which compiled code dominates, if the strategy is compiled or uses NumPy."""
_COMPILED = 5e-8
"""Seconds per bar and parameter set below which the time is spent in compiled code: a loop in Python takes longer."""


def work_of_folds(plan: Plan, bars: Bars, windows: Sequence[Window]) -> Work:
    """Return the estimated work of the folds of these windows."""
    lengths = [window.train_stop - window.train_start for window in windows]
    longest = windows[lengths.index(max(lengths))]
    train = longest.training(bars)
    each = _seconds(evaluator(plan, train), plan.space, len(train))
    each += _PROPOSAL.get(plan.method if isinstance(plan.method, str) else "optuna", 5e-6)
    times = plan.trials * sum(lengths) / len(train)
    found = _work(each, times, len(train))
    if plan.method == "tpe":
        grown = _TPE_GROWTH * plan.trials * len(plan.space.dimensions)
        return Work(found.seconds + grown * times, found.threads)
    return found


def work_of_sets(evaluate: Callable[[Parameters], Any], space: Space, sets: int, bars: int) -> Work:
    """Return the estimated work of evaluating a number of parameter sets."""
    return _work(_seconds(evaluate, space, bars), sets, bars)


def _work(each: float, times: float, bars: int) -> Work:
    return Work(each * times, threads=bars >= _LONG and each <= bars * _COMPILED)


def _seconds(evaluate: Callable[[Parameters], Any], space: Space, bars: int) -> float:
    """Time that one parameter set takes: the shortest of three, as the first call may load or compile."""
    try:
        params = space.default
        if params is None or warmup_excess(space.strategy, params, bars):
            params = next(space.rows(propose_all(space, "sobol", 1, 0, bars=bars)))
    except (SettingsError, WarmupError):  # no set can be evaluated, which the search itself reports
        return 0.0
    taken: list[float] = []
    with using(ColumnCache()):
        while len(taken) < 3 and sum(taken) < 0.5:
            began = time.perf_counter()
            with suppress(Exception):  # the search meets it again and reports it
                evaluate(params)
            taken.append(time.perf_counter() - began)
    return min(taken)
