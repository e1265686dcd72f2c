"""Random entries: does the timing of the entries matter, or would any with the same holding times do as well?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.engine import Simulator
from maestro.errors import SettingsError, nearest
from maestro.metrics.returns import bar_returns
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_settings, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.search.tpe import check_seed
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray, IntArray

_INSIDE = ("stop", "trail", "target", "limit")
"""Reasons of exits that happen inside a bar."""
METRICS = ("sharpe_ratio", "total_return", "max_drawdown")


@dataclass(frozen=True)
class RandomEntries:
    """Where a run ranks among runs that enter at random.

    Attributes
    ----------
    metric : str
    observed : float
        Of the run.
    replayed : float
        Of the run's own entries and holding times, entered and left at opens as the random ones are. Where it differs
        much from `observed`, exits inside bars (stops, targets) make the difference, not the entries.
    null : float64[n]
        Of the random runs; one that was ruined is minus infinity.
    pvalue : float
        (1 + number of random runs at least as good) / (1 + n). See the notes of `random_entries`: for rules whose
        holding times depend on the path it is not the significance of the run.
    positions : int
        Positions of the run; each random run has as many, with the same sides and holding times, and the same costs.
    settings : dict
    """

    metric: str
    observed: float
    replayed: float
    null: FloatArray
    pvalue: float
    positions: int
    settings: dict[str, Any]

    @property
    def rank(self) -> float:
        """Share of the random runs that the run beats; 0.5 is no better than chance."""
        value = self.observed if np.isfinite(self.observed) else -np.inf
        return float((self.null < value).mean() + 0.5 * (self.null == value).mean())

    def figure(self, **options: Any) -> Any:
        """Distribution of the random runs with the run's own value, as a Bokeh figure."""
        return hook("random_entries_figure")(self, **options)

    def __repr__(self) -> str:
        return (
            f"RandomEntries({self.positions} positions, {self.metric} {self.observed:.3g} beats {self.rank:.0%} of "
            f"{len(self.null):,} runs with random entries; p = {self.pvalue:.3g})"
        )

    def _repr_html_(self) -> str:
        return str(hook("random_entries_html")(self)._repr_html_())


@dataclass(frozen=True)
class _Stretch:
    """One tested window: a simulator with the training bars as history, and the positions that were held there."""

    simulator: Simulator
    begin: int
    stop: int
    sides: IntArray
    begins: IntArray
    holds: IntArray


def random_entries(
    wf: Any, bars: Bars | None = None, *, repetitions: int = 999, metric: str = "sharpe_ratio", seed: int = 0
) -> RandomEntries:
    """Test the entries of a walk-forward against random ones, out of sample.

    In each fold the run's positions keep their number, sides and holding times, and are put at random places of the
    test window, in random order, without overlap. Costs and sizing are the run's; orders fill at opens, and a position
    that a stop or target closed inside a bar is held to the next open.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again where absent.
    repetitions : int
    metric : {"sharpe_ratio", "total_return", "max_drawdown"}
    seed : int

    Raises
    ------
    SettingsError
        An unknown metric, a run that is sized by risk, or one that never held a position out of sample.

    Notes
    -----
    Ranks are uniform on noise only for rules whose sides and holding times do not depend on the path. Those of other
    rules carry the drift of the path into the random runs: on 200 random walks without costs the mean rank of
    `EmaCrossStrategy` was 0.14 and that of `RSIStrategy` 0.85. The permutation test of the verdict has no such bias.
    """
    if metric not in METRICS:
        raise SettingsError(f"metric={metric!r} is unknown; allowed: {', '.join(METRICS)}.{nearest(metric, METRICS)}")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1.")
    check_seed(seed)
    if wf.spec.sizing.kind == "risk":
        raise SettingsError("random entries have no stop, so the risk that the run was sized by cannot be repeated.")
    whole = recorded_bars(wf, bars)
    stretches = _stretches(wf, whole)
    positions = sum(len(s.sides) for s in stretches)
    if not positions:
        raise SettingsError("the run held no position out of sample, so there are no entries to compare.")
    cash, periods = float(wf.spec.cash), whole.periods_per_year
    own = [(np.arange(len(s.sides)), s.begins) for s in stretches]
    replayed = _measure(stretches, own, metric, cash, periods)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 999]))
    null = np.array(
        [_measure(stretches, [_draw(s, rng) for s in stretches], metric, cash, periods) for _ in range(repetitions)]
    )
    observed = float(wf.metrics[metric])
    better = int((null >= (observed if np.isfinite(observed) else -np.inf)).sum())
    return RandomEntries(
        metric, observed, replayed, null, (1 + better) / (1 + repetitions), positions,
        {"repetitions": repetitions, "seed": seed},
    )  # fmt: skip


def _stretches(wf: Recorded, bars: Bars) -> list[_Stretch]:
    """Tested windows with the positions held in them, from the run's recorded equity."""
    settings = replace(recorded_settings(wf.spec), fill="next_open")
    found = []
    for fold, window in enumerate(windows_of(wf)):
        rows = wf.equity.filter(pl.col("fold") == fold)
        if not len(rows):
            continue
        history = window.history(bars)
        begin = int(np.searchsorted(history.time, rows["timestamp"].to_physical()[0]))
        simulator = settings.simulator(history, (begin, begin + len(rows)), close_at_end=True)
        inside = wf.trades.filter(pl.col("fold") == fold, pl.col("exit_reason").is_in(_INSIDE))
        ends = np.searchsorted(history.time, inside["exit_time"].to_physical().to_numpy()) - begin
        found.append(_Stretch(simulator, begin, begin + len(rows), *_spells(rows["position"].to_numpy(), ends)))
    return found


def _spells(position: FloatArray, inside: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Side, first bar and length [bars] of each stretch with a position of one side.

    One that was closed inside a bar (`inside`) lasts over that bar, unless the next position begins there.
    """
    side = np.sign(position).astype(np.int64)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], side, [0]))))
    held = side[edges[:-1]] != 0
    begins, ends = edges[:-1][held], edges[1:][held]
    free = np.concatenate((begins[1:] > ends[:-1], ends[-1:] < len(side)))
    return side[begins], begins, ends - begins + (free & np.isin(ends, inside))


def _draw(stretch: _Stretch, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Random order of a stretch's positions (indices), and random places: where each begins, without overlap."""
    count = len(stretch.sides)
    order = rng.permutation(count)
    free = stretch.stop - stretch.begin - 1 - int(stretch.holds.sum())  # nothing fills on the first bar
    flat_before = np.sort(rng.integers(0, free + 1, count))
    return order, 1 + flat_before + np.concatenate(([0], np.cumsum(stretch.holds[order])[:-1])).astype(np.int64)


def _measure(
    stretches: Sequence[_Stretch], places: Sequence[tuple[IntArray, IntArray]], metric: str, cash: float,
    periods: float,
) -> float:  # fmt: skip
    """Metric of the chained stretches with their positions in an order at places; minus infinity if undefined."""
    returns = []
    for stretch, (order, begins) in zip(stretches, places, strict=True):
        signals = _signals(stretch, stretch.sides[order], begins, stretch.holds[order])
        returns.append(bar_returns(stretch.simulator.record(signals).equity, cash))
    found = float(m.from_returns(np.concatenate(returns), periods_per_year=periods)[metric])
    return found if np.isfinite(found) else -np.inf


def _signals(stretch: _Stretch, sides: IntArray, begins: IntArray, holds: IntArray) -> Signals:
    """Signals one bar before each entry and exit, so that both fill at the opens of the wanted bars.

    Two positions of one side without a flat bar between them would be one: the first is left a bar sooner, where it
    is longer than a bar.
    """
    touching = np.concatenate(((begins[:-1] + holds[:-1] == begins[1:]) & (sides[:-1] == sides[1:]), [False]))
    holds = holds - (touching[: len(holds)] & (holds > 1))
    flags = np.zeros((4, len(stretch.simulator.bars)), np.bool_)
    enter, leave = stretch.begin + begins - 1, stretch.begin + begins + holds - 1
    inside = leave < stretch.stop
    for row, side in ((0, 1), (2, -1)):
        flags[row, enter[sides == side]] = True
        flags[row + 1, leave[(sides == side) & inside]] = True
    return Signals(*flags)
