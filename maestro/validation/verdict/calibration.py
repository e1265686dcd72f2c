"""Calibration of the verdict: its errors on permuted series without an edge and on series with a planted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.errors import RunCancelled, SettingsError
from maestro.execution.choose import choose
from maestro.execution.protocol import Task, TaskContext, results_of, run_tasks
from maestro.ledger import uncounted
from maestro.validation.statistics.permutation import Permutation, permuted_bars
from maestro.validation.verdict.build import PERMUTATIONS, verdict
from maestro.validation.verdict.checks import SIGNIFICANCE
from maestro.validation.verdict.rule import CONCLUSIONS, QUESTIONS, Check, answers_of, conclude_from
from maestro.walkforward.run import walk_forward


def planted_bars(bars: Bars, edge: float, *, duration: float = 30.0, seed: Any = 0) -> Bars:
    """Return bars with permuted returns and a planted trend.

    The returns of `bars` are permuted, so that nothing is left to predict; then each log return gets
    ``+edge`` or ``-edge`` standard deviations, by a hidden state that flips with probability ``1 / duration`` per
    bar. An oracle that knows the state, without costs, would have a Sharpe ratio of about `edge` per bar, that is
    ``edge * sqrt(periods_per_year)`` per year; a rule that must find the trends earns a part of it.

    Parameters
    ----------
    bars : Bars
    edge : float
        In standard deviations of the log returns; 0 gives permuted bars.
    duration : float
        Mean length of a trend [bars].
    seed : int, or what `numpy.random.default_rng` takes
    """
    if not 0 <= edge < 10 or not duration >= 1:
        raise SettingsError(f"edge={edge!r}, duration={duration!r}: give an edge from 0 and a duration from 1 bar.")
    rng = np.random.default_rng(seed)
    made = permuted_bars(bars, rng)
    if edge == 0:
        return made
    n = len(made)
    state = np.where(np.cumsum(rng.random(n) < 1.0 / duration) + rng.integers(2) & 1, 1.0, -1.0)
    spread = float(np.diff(np.log(made.close)).std())
    level = np.exp(np.concatenate(([0.0], np.cumsum(state[1:] * edge * spread))))
    before = np.concatenate((level[:1], level[:-1]))
    columns = {
        "time": made.time,
        "open": made.open * before,
        "high": np.maximum(made.high * np.maximum(before, level), made.close * level),
        "low": np.minimum(made.low * np.minimum(before, level), made.close * level),
        "close": made.close * level,
        "volume": made.volume,
    }
    for values in columns.values():
        values.flags.writeable = False
    planted = Bars(
        columns, provider=made.provider, symbol=made.symbol.replace("PERMUTED", "PLANTED"), timeframe=made.timeframe,
        periods_per_year=made.periods_per_year, synthetic=True,
        notes=(*made.notes, f"Trends of {edge:g} standard deviations a bar were planted."),
    )  # fmt: skip
    planted.others = made.others
    return planted


def calibrate(
    bars: Bars,
    strategy: Any,
    *,
    edge: float = 0.0,
    series: int = 20,
    duration: float = 30.0,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    workers: int | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
    **settings: Any,
) -> pl.DataFrame:
    """Run walk-forwards and verdicts on many synthetic series; one row per series.

    Parameters
    ----------
    bars : Bars
        Real bars, whose returns are permuted.
    strategy : str or type of Strategy
    edge, duration
        See `planted_bars`; an edge of 0 is pure noise.
    series : int
        Number of series; on noise at least ``permutations + 1``.
    permutations : int
        Repetitions of each verdict's permutation test. On noise, the other series are used instead: permuting permuted
        returns again only gives another permutation, so the test is the same and costs nothing.
    seed : int
    workers : int, optional
        Processes; all cores where absent.
    cancel, progress
        As in `permutation_test`.
    **settings
        As in `walk_forward`: splitter, trials, search, costs, …

    Returns
    -------
    polars frame
        bars, strategy, edge, series, conclusion, sharpe_ratio (out of sample), then the outcome of every check by its
        key.

    Raises
    ------
    SettingsError, RunCancelled
    """
    if edge == 0 and series < permutations + 1:
        raise SettingsError(f"series={series} are too few for {permutations} permutations; give {permutations + 1}.")
    own = permutations if edge else 0
    tasks = [Task(_one, (strategy, settings, edge, duration, own, seed, k)) for k in range(series)]
    try:
        found = results_of(run_tasks(choose(None, workers, series), tasks, bars, cancel=cancel), progress)
    except RunCancelled as error:
        raise RunCancelled("the calibration was cancelled; no result is kept.") from error
    if not edge:
        found = _against_the_others(found, permutations, seed)
    name = strategy if isinstance(strategy, str) else strategy.__name__
    rows = [
        {"bars": bars.name, "strategy": name, "edge": edge, "series": k, "conclusion": conclude_from(checks),
         "sharpe_ratio": sharpe, **answers_of(checks), **{f"check_{c.key}": c.outcome for c in checks}}
        for k, (sharpe, checks) in enumerate(found)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def shares(table: pl.DataFrame) -> pl.DataFrame:
    """Share of each conclusion, of each question answered yes, and of each check passed among those done, by edge."""
    rows: list[tuple[float, str, str, float | None, int]] = []

    def add(edge: Any, what: str, name: str, hits: pl.Series) -> None:
        rows.append((edge, what, name, float(hits.sum()) / len(hits) if len(hits) else None, len(hits)))

    for (edge,), part in table.group_by("edge", maintain_order=True):
        for conclusion in CONCLUSIONS:
            add(edge, "conclusion", conclusion, part["conclusion"] == conclusion)
        for question in QUESTIONS:
            add(edge, "question", question, part[question] == "yes")
        for column in [name for name in part.columns if name.startswith("check_")]:
            add(edge, "check", column.removeprefix("check_"), part[column].filter(part[column] != "not done") == "pass")
    schema = {"edge": pl.Float64, "what": pl.String, "name": pl.String, "share": pl.Float64, "of": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _one(
    bars: Bars, context: TaskContext, strategy: Any, settings: dict[str, Any], edge: float, duration: float,
    permutations: int, seed: int, number: int,
) -> tuple[float, tuple[Check, ...]]:  # fmt: skip
    """Out-of-sample Sharpe ratio and checks of a walk-forward on one synthetic series."""
    if context.cancelled():
        raise RunCancelled("cancelled.")
    made = planted_bars(bars, edge, duration=duration, seed=np.random.SeedSequence([seed, number]))
    with uncounted("calibration"):
        wf = walk_forward(made, strategy, workers=1, accept_defects=True, progress=False, **settings)
        judged = verdict(wf, permutations=permutations, workers=1, seed=seed, progress=False)
    return wf.metrics["sharpe_ratio"], judged.checks


def _against_the_others(
    found: list[tuple[float, tuple[Check, ...]]], permutations: int, seed: int
) -> list[tuple[float, tuple[Check, ...]]]:
    """Compare each noise series with others drawn from the rest, instead of with its own permutations."""
    sharpes = np.array([sharpe for sharpe, _ in found])
    result = []
    for k, (sharpe, checks) in enumerate(found):
        rest = np.delete(sharpes, k)
        drawn = np.random.default_rng([seed, 1, k]).permutation(rest)[:permutations]
        defined = np.isfinite(drawn)
        test = Permutation("sharpe_ratio", sharpe, drawn[defined], int((~defined).sum()), permutations, seed)
        p = test.pvalue
        outcome: Any = "not done" if np.isnan(p) else "pass" if p <= SIGNIFICANCE else "fail"
        result.append((sharpe, tuple(replace(c, outcome=outcome) if c.key == "permutation" else c for c in checks)))
    return result
