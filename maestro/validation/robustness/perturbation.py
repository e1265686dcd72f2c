"""Sensitivity to single bars: chosen parameters tested with late execution, missing bars and noise on prices."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.data.files.names import OPTIONAL
from maestro.errors import MaestroError, SettingsError
from maestro.execution.counting import counting
from maestro.metrics.returns import bar_returns
from maestro.reproduce.recorded import Recorded
from maestro.search.tpe import check_seed
from maestro.strategies.signals import Bracket, Orders, Signals
from maestro.typing import BoolArray, FloatArray
from maestro.validation.robustness.choices import Choices, Outcome, choices_of
from maestro.walkforward.splitters import Window

DELAYS = (1, 2, 3)
MISSING = (0.01, 0.05, 0.1)
NOISE = (0.05, 0.1, 0.25)
REPETITIONS = 50
_NAMES = ("long_entry", "long_exit", "short_entry", "short_exit")
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Perturbations:
    """Result of `perturbations`.

    Attributes
    ----------
    table : polars frame, one row per repetition
        kind (``as it was``, ``delay``, ``missing``, ``noise``), level (bars; share of bars; share of the standard
        deviation of a bar's return), repetition, failed (folds that raised), and of the stitched out-of-sample stretch
        sharpe_ratio, total_return, annual_return, volatility, max_drawdown, num_trades.
    notes : tuple of str
        Tests that could not be made, with reasons.
    seed : int
    """

    table: pl.DataFrame
    notes: tuple[str, ...]
    seed: int

    @property
    def base(self) -> dict[str, Any]:
        """Row of the unperturbed result."""
        return self.table.row(0, named=True)

    @property
    def summary(self) -> pl.DataFrame:
        """One row per kind and level: repetitions, quantiles of the Sharpe ratio, median return, share above 0."""
        sharpe, total = pl.col("sharpe_ratio").drop_nans(), pl.col("total_return").drop_nans()
        return self.table.group_by("kind", "level", maintain_order=True).agg(
            pl.len().alias("repetitions"),
            sharpe.quantile(0.05, "linear").alias("sharpe_5"),
            sharpe.median().alias("sharpe_50"),
            sharpe.quantile(0.95, "linear").alias("sharpe_95"),
            total.median().alias("total_return"),
            (total > 0).mean().alias("positive"),
            pl.col("num_trades").median().alias("num_trades"),
            pl.col("failed").sum().alias("failed"),
        )

    def __repr__(self) -> str:
        rows = []
        for row in self.summary.to_dicts():
            level = "" if row["level"] is None else f" {row['level']:g}"
            rows.append(f"{row['kind']}{level}: {math.nan if row['sharpe_50'] is None else row['sharpe_50']:.2f}")
        return f"Perturbations(median Sharpe ratio out of sample: {'; '.join(rows)})"


def perturbations(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    delays: Sequence[int] = DELAYS,
    missing: Sequence[float] = MISSING,
    noise: Sequence[float] = NOISE,
    repetitions: int = REPETITIONS,
    seed: int = 0,
    strategy: Any = None,
    cancel: threading.Event | None = None,
    progress: bool | Callable[[int], None] | None = None,
) -> Perturbations:
    """Test the chosen parameters of a walk-forward under small perturbations, without searching again.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    delays : ints [bars]
        Number of bars by which execution of every signal is delayed. Not for a strategy with user-defined orders.
    missing : floats
        Share of the bars that are removed at random, except the first and last of each window: the rule sees, and
        trades, the remaining ones.
    noise : floats
        Standard deviation of the noise added to the logarithm of every open, high, low and close, independently, as a
        share of that of the bars' returns; high and low are then widened to include all four.
    repetitions : int
        Draws for each share of `missing` and `noise`.
    seed : int
    strategy : type of Strategy, optional
        Class of a user-defined strategy, for a run loaded from disk.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : bool or callable, optional
        True shows a bar, which a notebook also shows by itself for work over a second; a callable
        gets the number of tests done since the last call.

    Raises
    ------
    SettingsError
        A share or number out of bounds, or no fold with a result.
    BarsError, RunError, RunCancelled
    """
    if not all(isinstance(d, int) and not isinstance(d, bool) and 1 <= d <= 1_000 for d in delays):
        raise SettingsError(f"delays={list(delays)!r} are not whole numbers of bars of at least 1.")
    for name, values, highest in (("missing", missing, 0.9), ("noise", noise, 100.0)):
        if not all(isinstance(v, (int, float)) and 0 < v <= highest for v in values):
            raise SettingsError(f"{name}={list(values)!r} are not shares; give numbers above 0, at most {highest:g}.")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1.")
    check_seed(seed)
    choices = choices_of(wf, bars, strategy)
    signals = choices.signals()
    notes: list[str] = []
    if any(isinstance(one, Orders) for one in signals) and delays:
        notes.append("The strategy lays orders of its own, which have no signals to delay.")
        delays = ()
    rows = [_row("as it was", None, 0, choices.stitched(signals=signals), 0)]
    total = len(delays) + repetitions * (len(missing) + len(noise))
    with counting(progress, total, "disturbances", "test", cancel) as counter:
        for bars_late in delays:
            late = [delayed(one, bars_late, w.tested[0]) for one, w in zip(signals, choices.windows, strict=True)]
            rows.append(_row("delay", float(bars_late), 0, choices.stitched(signals=late), 0))
            counter.done()
        for kind, shares, make in (("missing", missing, _without), ("noise", noise, _noisy)):
            for place, share in enumerate(shares):
                for repetition in range(repetitions):
                    rng = np.random.default_rng([seed, kind == "noise", place, repetition])
                    rows.append(_row(kind, float(share), repetition, *make(choices, share, rng)))
                    counter.done()
    failed = sum(row["failed"] for row in rows)
    if failed:
        notes.append(f"{failed} tests of a fold raised under a disturbance and are left out of their stretch.")
    return Perturbations(pl.DataFrame(rows, schema_overrides={"level": pl.Float64}), tuple(notes), seed)


def _row(kind: str, level: float | None, repetition: int, outcome: Outcome, failed: int) -> dict[str, Any]:
    return {"kind": kind, "level": level, "repetition": repetition, "failed": failed, **outcome.metrics}


def delayed(signals: Signals, late: int, first: int) -> Signals:
    """Signals delayed by that many bars, none from before bar `first`, where the test window begins."""

    def flags(values: BoolArray) -> BoolArray:
        moved = np.zeros_like(values)
        moved[first + late :] = values[first : len(values) - late]
        return moved

    def levels(values: FloatArray | None) -> FloatArray | None:
        if values is None:
            return None
        moved = np.full_like(values, np.nan)
        moved[first + late :] = values[first : len(values) - late]
        return moved

    bracket = signals.bracket
    if bracket is not None:
        longs, shorts = levels(bracket.long_level), levels(bracket.short_level)
        assert longs is not None
        assert shorts is not None
        bracket = Bracket(bracket.long_stop, bracket.long_target, longs, shorts, bracket.ladder)
    return Signals(
        *(flags(getattr(signals, name)) for name in _NAMES),
        stop=levels(signals.stop), target=levels(signals.target), trail=levels(signals.trail),
        stop_unit=signals.stop_unit, target_unit=signals.target_unit, trail_unit=signals.trail_unit,
        bracket=bracket, notes=signals.notes,
    )  # fmt: skip


def _without(choices: Choices, share: float, rng: np.random.Generator) -> tuple[Outcome, int]:
    """Outcome with missing bars, and the number of folds that raised."""
    keep = rng.random(len(choices.bars)) >= share
    for w in choices.windows:
        keep[[w.train_start, w.train_stop - 1, w.test_start, w.test_stop - 1]] = True
    whole = _taken(choices.bars, keep)
    place = np.concatenate(([0], np.cumsum(keep)))
    plan = choices.plan
    stamps, returns, trades, failed, seen = [], [], 0.0, 0, -1
    for w, params in zip(choices.windows, choices.params, strict=True):
        try:
            simulator = plan.test_simulator(whole, Window(*(int(place[edge]) for edge in w)))
            books = simulator.record(plan.signals(params, simulator.bars))
        except MaestroError:  # a warm-up that is then too long for what is left
            failed += 1
            continue
        own = simulator.bars.time[simulator.begin : simulator.end]
        fresh = own > seen
        # A bar that is missing moves nothing: its stamp stays in the stretch, so that a year has as many bars.
        every = choices.bars.time[w.test_start : w.test_stop]
        filled = np.zeros(len(every))
        filled[np.searchsorted(every, own)] = bar_returns(books.equity, plan.cash)
        new = every > seen
        stamps.append(every[new])
        returns.append(filled[new])
        trades += len(books.trades) if fresh.any() else 0.0
        seen = max(seen, int(every[-1]))
    return choices.chained(stamps, returns, trades), failed


def _noisy(choices: Choices, share: float, rng: np.random.Generator) -> tuple[Outcome, int]:
    """Outcome with noise on every price; a fold whose strategy raises on it counts as failed."""
    bars = choices.bars
    spread = float(np.diff(np.log(bars.close)).std()) * share
    moved = {name: getattr(bars, name) * np.exp(rng.normal(0.0, spread, len(bars))) for name in _PRICES}
    high = np.maximum.reduce([moved[name] for name in _PRICES])
    low = np.minimum.reduce([moved[name] for name in _PRICES])
    made = _copied(bars, {**moved, "high": high, "low": low})
    try:
        return choices.stitched(bars=made), 0
    except MaestroError:
        return choices.chained([], [], 0.0), len(choices.params)


def _taken(bars: Bars, keep: BoolArray) -> Bars:
    """Bars of some rows; settlements of the others are paid with the next row."""
    names = ("time", *_PRICES, "volume", *OPTIONAL)
    columns = {name: getattr(bars, name)[keep] for name in names if getattr(bars, name) is not None}
    if bars.funding_rate is not None:
        rates = np.nan_to_num(bars.funding_rate)
        bucket = np.searchsorted(np.flatnonzero(keep), np.arange(len(bars)))
        columns["funding_rate"] = np.bincount(bucket, rates, int(keep.sum()) + 1)[: int(keep.sum())]
    return _made(bars, columns)


def _copied(bars: Bars, columns: dict[str, Any]) -> Bars:
    names = ("time", *_PRICES, "volume", *OPTIONAL)
    own = {name: getattr(bars, name) for name in names if getattr(bars, name) is not None}
    return _made(bars, {**own, **columns})


def _made(bars: Bars, columns: dict[str, Any]) -> Bars:
    for name, values in columns.items():
        columns[name] = np.ascontiguousarray(values)
        columns[name].flags.writeable = False
    made = Bars(
        columns, provider=bars.provider, symbol=bars.symbol, timeframe=bars.timeframe,
        periods_per_year=bars.periods_per_year, synthetic=True, notes=bars.notes,
    )  # fmt: skip
    made.outages, made.others = bars.outages, bars.others
    return made
