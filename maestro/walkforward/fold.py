"""One fold: search on its training window, choose, evaluate the choice on its test window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.errors import MaestroError, RunCancelled, SettingsError
from maestro.indicators import ColumnCache, using
from maestro.metrics import NAMES, NO_LOSS
from maestro.search.runner import search
from maestro.search.space import Space
from maestro.search.trials import Trial
from maestro.strategies.base import maker
from maestro.typing import FloatArray, Parameters
from maestro.walkforward.notes import left_out_note
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import SHORTEST, Window


@dataclass
class FoldResult:
    """Result of a fold; `error` says why there is no choice or no test result.

    `trials` is the table of `trials_table`: sending a table to another process is many times faster than a list.
    """

    fold: int
    window: Window
    trials: pl.DataFrame
    chosen: Trial | None = None
    test_metrics: FloatArray | None = None
    equity: FloatArray = field(default_factory=lambda: np.empty(0))
    position: FloatArray = field(default_factory=lambda: np.empty(0))
    trades: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None


def run_fold(
    plan: Plan,
    bars: Bars,
    window: Window,
    fold: int,
    *,
    first: Sequence[Parameters] = (),
    cancelled: Callable[[], bool] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> FoldResult:
    """Search, choose and evaluate one fold.

    Training sees only the bars of the training window and ends flat. The test has the bars from the start of the
    training window as history; only signals of the test window count, and it ends flat. An error of the strategy
    becomes the fold's error, never a number; `RunCancelled` and a `SettingsError` of the search are raised.
    """
    result = search_fold(plan, bars, window, fold, first=first, cancelled=cancelled, on_trial=on_trial)
    if result.chosen is None:
        return result
    try:
        bt = plan.backtest(plan.test_simulator(bars, window), result.chosen.params)
        result.test_metrics = np.fromiter(bt.metrics.values(), np.float64)
        equity = bt.equity
        result.equity, result.position = equity["equity"].to_numpy(), equity["position"].to_numpy()
        result.trades = bt.trades
        result.notes = tuple(note for note in bt.notes if note != NO_LOSS)  # the result has it once for all folds
    except MaestroError as error:
        result.error = f"the chosen parameters failed on the test window: {error}"
    except Exception as error:  # user code: whatever it raises is this fold's failure
        result.error = f"the chosen parameters failed on the test window: {type(error).__name__}: {error}"
    return result


def search_fold(
    plan: Plan,
    bars: Bars,
    window: Window,
    fold: int,
    *,
    first: Sequence[Parameters] = (),
    cancelled: Callable[[], bool] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> FoldResult:
    """Search and choose on the training window of a fold, without the test.

    An error of the strategy becomes the fold's error; `RunCancelled` and a `SettingsError` of the search are raised.
    """
    train = window.training(bars)
    evaluate = evaluator(plan, train)
    parts = [len(train) * k // 4 for k in (1, 2)] if plan.pruner is not None else []
    stages = [evaluator(plan, train[:part]) for part in parts if part >= SHORTEST]
    tried: list[Trial] = []

    def seen(trial: Trial) -> None:
        tried.append(trial)
        if on_trial is not None:
            on_trial(trial)

    try:
        with using(ColumnCache()):
            trials = search(
                evaluate, plan.space, method=plan.method, trials=plan.trials, seed=plan.seed_of(fold),
                score=plan.selection.score, first=[*plan.first, *first], bars=len(train), cancelled=cancelled,
                on_trial=seen, pruner=plan.pruner if stages else None, stages=stages,
            )  # fmt: skip
    except (RunCancelled, SettingsError):  # a setting that is wrong for one fold is wrong for all
        raise
    except MaestroError as error:
        tried.sort(key=lambda trial: trial.number)
        return FoldResult(fold, window, trials_table(fold, tried, None, plan.space), error=str(error))
    chosen = plan.selection.choose(trials)
    result = FoldResult(fold, window, trials_table(fold, trials, chosen, plan.space), chosen)
    if result.chosen is None:
        result.error = _why_none(trials, plan, len(train))
    return result


def trials_table(fold: int, trials: Sequence[Trial], chosen: Trial | None, space: Space) -> pl.DataFrame:
    """One row per trial: fold, trial, state, chosen, error, parameters, metrics (null if there are none)."""
    n = len(trials)
    values = np.full((len(NAMES), n), np.nan)
    missing = []
    for k, trial in enumerate(trials):
        if trial.metrics is None:
            missing.append(k)
        else:
            values[:, k] = trial.metrics
    there = np.ones(n, np.bool_)
    there[missing] = False
    number = -1 if chosen is None else chosen.number
    table = pl.DataFrame(
        {
            "fold": pl.Series([fold] * n, dtype=pl.Int64),
            "trial": pl.Series([t.number for t in trials], dtype=pl.Int64),
            "state": pl.Series([t.state for t in trials], dtype=pl.String),
            "chosen": pl.Series([t.number == number for t in trials], dtype=pl.Boolean),
            "error": pl.Series([t.error for t in trials], dtype=pl.String),
            **space.table([t.params for t in trials]),
            **{name: values[k] for k, name in enumerate(NAMES)},
        }
    )
    if not missing:
        return table
    mask = pl.lit(pl.Series(there))
    return table.with_columns(pl.when(mask).then(pl.col(name)).alias(name) for name in NAMES)


def evaluator(plan: Plan, bars: Bars) -> Callable[[Parameters], FloatArray]:
    """Return the function from complete parameters to metrics on these bars."""
    simulator, make = plan.simulator(bars), maker(plan.strategy)
    return lambda params: simulator.metrics(make(params).evaluate(bars))


def _why_none(trials: Sequence[Trial], plan: Plan, bars: int) -> str:
    counts = {state: sum(t.state == state for t in trials) for state in ("infeasible", "undefined", "failed")}
    parts = [f"{count} {state}" for state, count in counts.items() if count]
    details = left_out_note(plan.space, bars, "bars of the training window")
    first = next((t.error for t in trials if t.state == "failed"), None)
    if first:
        details.append(f"The first error: {first}")
    words = f"no trial of {len(trials)} has a defined {plan.selection.score_name} ({', '.join(parts)})."
    return " ".join([words, *details])
