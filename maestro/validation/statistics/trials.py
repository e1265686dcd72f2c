"""Returns of the parameter sets that a walk-forward tried, simulated from their recorded parameters."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.errors import RunCancelled, SettingsError, message_of
from maestro.indicators import ColumnCache, using
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.search.trials import EVALUATED
from maestro.typing import FloatArray, IntArray, Parameters
from maestro.validation.statistics.overfitting import Overfitting, pbo
from maestro.walkforward.plan import Plan

MOST_BYTES = 256 * 2**20
"""Largest matrix of returns that is made unless more is allowed."""
PBO_BLOCKS = 16


@dataclass(frozen=True)
class TrialReturns:
    """Result of `trial_returns`.

    Attributes
    ----------
    returns : float64[T, N]
        Simple returns per period of the N distinct parameter sets; 0 after ruin.
    market : float64[T]
        Return per period of the series itself, from close to close.
    exposure : float64[N]
        Mean share of the equity that each set had in the market; negative is short.
    sets : polars frame, one row per set
        fold and trial where it was tried first, times (how often it was tried), chosen (in some fold), parameters.
    stamps : int64[T]
        Open of the last bar of each period [µs since 1970, UTC].
    bars_per_period : float
    left_out : int
        Distinct sets beyond `most`, left out by a seeded draw.
    failed : int
        Distinct sets whose simulation raised an error; they have no column.
    error : str
        The first of these errors.
    """

    returns: FloatArray
    market: FloatArray
    exposure: FloatArray
    sets: pl.DataFrame
    stamps: IntArray
    bars_per_period: float
    left_out: int = 0
    failed: int = 0
    error: str = ""

    @property
    def timing(self) -> FloatArray:
        """Returns beyond those of holding each set's own mean exposure all the time, float64[T, N].

        The part of the returns that does not come from the market's drift: 0 for a rule that is always in the market.
        """
        return self.returns - self.market[:, None] * self.exposure

    def coarser(self, periods: int) -> TrialReturns:
        """Compound the returns to at most that many periods of about equal length."""
        count = len(self.returns)
        if periods >= count:
            return self
        ends = np.ceil(np.arange(1, periods + 1) * count / periods).astype(np.int64) - 1
        begins = np.concatenate(([0], ends[:-1] + 1))
        return replace(
            self,
            returns=np.multiply.reduceat(1.0 + self.returns, begins, axis=0) - 1.0,
            market=np.multiply.reduceat(1.0 + self.market, begins) - 1.0,
            stamps=self.stamps[ends],
            bars_per_period=self.bars_per_period * count / periods,
        )

    def __repr__(self) -> str:
        periods, sets = self.returns.shape
        return f"TrialReturns({periods:,} periods x {sets:,} sets, {self.bars_per_period:g} bars per period)"


def trial_returns(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    fold: int | None = None,
    periods: int | None = None,
    most: int | None = None,
    seed: int = 0,
    strategy: Any = None,
    max_bytes: int = MOST_BYTES,
    cancel: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrialReturns:
    """Simulate each distinct parameter set that a walk-forward tried.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    fold : int, optional
        Only the trials of this fold, on its training window, as the search scored them. All sets of all folds on
        all bars if not given.
    periods : int, optional
        Compound the returns to at most this many periods of equal length, to save memory; by default one per bar.
    most : int, optional
        Maximum number of sets: those that were chosen and a seeded draw of the others.
    seed : int
        Seed of that draw.
    strategy : type of Strategy, optional
        See `recorded_plan`.
    max_bytes : int
        Maximum size of the matrix; a larger one is refused.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : callable, optional
        Called with the number of sets done since the last call.

    Raises
    ------
    SettingsError
        No such fold, no trial was evaluated, or the matrix would be larger than `max_bytes`.
    BarsError, RunError
        See `recorded_bars` and `recorded_plan`.
    RunCancelled
    """
    plan = recorded_plan(wf, strategy)
    whole = recorded_bars(wf, bars)
    windows = windows_of(wf)
    if fold is not None and not 0 <= fold < len(windows):
        raise SettingsError(f"there is no fold {fold!r}; the folds are 0 to {len(windows) - 1}.")
    if fold is None:
        stretch = whole[min(w.train_start for w in windows) : max(w.test_stop for w in windows)]
    else:
        stretch = windows[fold].training(whole)
    sets = distinct_sets(wf, plan, fold)
    if not len(sets):
        where = "no fold" if fold is None else f"fold {fold}"
        raise SettingsError(f"{where} has a trial that was evaluated, so there are no returns; see wf.trials.")
    sets, left_out = _at_most(sets, most, seed)
    n = len(stretch)
    if periods is not None and (isinstance(periods, bool) or not isinstance(periods, int) or periods < 2):
        raise SettingsError(f"periods={periods!r} is not a whole number of at least 2.")
    count = n if periods is None else min(periods, n)
    size = 8 * count * len(sets)
    if size > max_bytes:
        raise SettingsError(
            f"{count:,} periods x {len(sets):,} sets take {size / 2**20:,.0f} MB, above max_bytes of "
            f"{max_bytes / 2**20:,.0f} MB; compound them (periods=1000), take fewer sets (most=500), or allow more."
        )
    ends = np.ceil(np.arange(1, count + 1) * n / count).astype(np.int64) - 1
    columns, exposure, good, errors = _simulate(plan, stretch, sets, ends, cancel, progress)
    closes = np.concatenate((stretch.open[:1], stretch.close[ends]))
    return TrialReturns(
        columns[:, good], closes[1:] / closes[:-1] - 1.0, exposure[good], sets.filter(pl.Series(good)),
        stretch.time[ends], n / count, left_out, len(errors), next(iter(errors), ""),
    )  # fmt: skip


def distinct_sets(wf: Recorded, plan: Plan, fold: int | None = None) -> pl.DataFrame:
    """Table of the distinct sets that were evaluated, in the order of their first trial."""
    trials = wf.trials if fold is None else wf.trials.filter(pl.col("fold") == fold)
    names = plan.space.parameters
    evaluated = trials.filter(pl.col("state").is_in(EVALUATED)).sort("fold", "trial")
    return evaluated.group_by(names, maintain_order=True).agg(
        pl.col("fold").first(), pl.col("trial").first(), pl.len().alias("times"), pl.col("chosen").any()
    ).select("fold", "trial", "times", "chosen", *names)  # fmt: skip


def parameter_sets(table: pl.DataFrame, plan: Plan) -> list[Parameters]:
    """Complete parameters of each row, in the declared types."""
    return [plan.space.from_row(row) for row in table.to_dicts()]


def _at_most(sets: pl.DataFrame, most: int | None, seed: int) -> tuple[pl.DataFrame, int]:
    if most is None or len(sets) <= most:
        return sets, 0
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise SettingsError(f"most={most!r} is not a whole number of at least 2.")
    chosen = np.flatnonzero(sets["chosen"].to_numpy())[:most]
    others = np.flatnonzero(~sets["chosen"].to_numpy())
    drawn = np.random.default_rng(seed).permutation(others)[: most - len(chosen)]
    return sets[np.sort(np.concatenate((chosen, drawn)))], len(sets) - most


def _simulate(
    plan: Plan, bars: Bars, sets: pl.DataFrame, ends: IntArray, cancel: threading.Event | None,
    progress: Callable[[int], None] | None,
) -> tuple[FloatArray, FloatArray, Any, list[str]]:  # fmt: skip
    """Returns over the periods that end with the bars `ends`, mean exposure, which sets could be simulated, errors."""
    simulator = plan.simulator(bars)
    columns = np.zeros((len(ends), len(sets)))
    exposure, good = np.zeros(len(sets)), np.ones(len(sets), np.bool_)
    errors: list[str] = []
    reported = 0
    with using(ColumnCache()):
        for k, params in enumerate(parameter_sets(sets, plan)):
            if cancel is not None and cancel.is_set():
                raise RunCancelled(f"cancelled after {k} of {len(sets)} sets; nothing was changed.")
            try:
                books = simulator.record(plan.signals(params, bars))
            except Exception as error:  # user code: whatever it raises is counted in `failed`
                good[k] = False
                errors.append(message_of(error))
            else:
                columns[:, k] = _compounded(books.equity, ends, plan.cash)
                alive = books.equity > 0
                exposure[k] = (
                    float((books.position * bars.close / np.where(alive, books.equity, 1.0))[alive].mean())
                    if alive.any()
                    else 0.0
                )
            if progress is not None and (k - reported >= 25 or k == len(sets) - 1):
                progress(k + 1 - reported)
                reported = k + 1
    return columns, exposure, good, errors


def _compounded(equity: FloatArray, ends: IntArray, cash: float) -> FloatArray:
    values = np.concatenate(([cash], equity[ends]))
    ruined = values <= 0
    if ruined.any():  # an account that is ruined stays so
        values[int(np.argmax(ruined)) + 1 :] = 0.0
    before = values[:-1]
    return np.divide(values[1:], before, out=np.ones(len(ends)), where=before > 0) - 1.0


def trials_pbo(
    wf: Recorded, bars: Bars | None = None, *, fold: int | None = None, n_blocks: int = PBO_BLOCKS, **settings: Any
) -> Overfitting:
    """Probability of backtest overfitting of the sets that a walk-forward tried.

    All sets of all folds on all bars (of one fold on its training window with `fold`), their returns compounded to at
    most 2,000 periods, of at most 2,000 sets unless `settings` say otherwise; see `trial_returns` and `pbo`.
    """
    found = trial_returns(wf, bars, fold=fold, **{"periods": 2_000, "most": 2_000, **settings})
    return pbo(found.returns, n_blocks)


def sharpe_variance(wf: Recorded) -> tuple[int, float]:
    """Trials of the run that were evaluated, and the variance of their Sharpe ratios **per period**."""
    evaluated = wf.trials.filter(pl.col("state").is_in(EVALUATED))
    sharpes = evaluated["sharpe_ratio"].drop_nulls().drop_nans().to_numpy() / math.sqrt(wf.spec.periods_per_year)
    return len(evaluated), float(sharpes.var(ddof=1)) if len(sharpes) > 1 else math.nan
