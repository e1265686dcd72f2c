"""Random entries: is the timing of a run's entries better than that of random entries with the same holding times?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.engine import SimulationSettings
from maestro.errors import SettingsError, nearest
from maestro.metrics.returns import bar_returns
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_settings, windows_of
from maestro.reproduce.recorded import Recorded
from maestro.search.tpe import check_seed
from maestro.strategies.signals import Signals
from maestro.typing import FloatArray, IntArray

_INSIDE = ("stop", "trail", "target", "limit", "end")
"""Reasons of exits that happen inside a bar or at its close."""
METRICS = ("sharpe_ratio", "total_return", "max_drawdown")


@dataclass(frozen=True)
class RandomEntries:
    """Rank of a run among runs that enter at random.

    Attributes
    ----------
    metric : str
    observed : float
        Of the run.
    replayed : float
        Metric of the run's own entries and holding times, filled at opens like the random ones. If it differs
        much from `observed`, exits inside bars (stops, targets) cause the difference, not the entries.
    null : float64[n]
        Metric of the random runs; a ruined one is minus infinity.
    pvalue : float
        (1 + number of random runs at least as good) / (1 + n).
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
class _Window:
    """One tested window of the bars, and the positions that were held there."""

    bars: Bars
    begin: int
    sides: IntArray
    begins: IntArray
    holds: IntArray
    length: int
    settings: SimulationSettings

    def returns(self, start: int, order: IntArray, begins: IntArray) -> FloatArray:
        """Return per bar of the positions in an order, at places of the stretch of bars that begins at `start`."""
        stretch = self.bars[start : start + self.length]
        simulator = self.settings.simulator(stretch, (0, self.length), close_at_end=True)
        equity = simulator.record(_signals(self.length, self.sides[order], begins, self.holds[order])).equity
        return bar_returns(equity, simulator.cash)

    def draw(self, rng: np.random.Generator) -> tuple[int, IntArray, IntArray]:
        """Random stretch outside the window, random order of the positions, and random places without overlap."""
        starts = self.starts
        start = int(rng.integers(starts[0] + starts[1]))
        start += 0 if start < starts[0] else self.begin + self.length - starts[0]
        count = len(self.sides)
        order = rng.permutation(count)
        free = self.length - 1 - int(self.holds.sum())  # nothing fills on the first bar
        flat_before = np.sort(rng.integers(0, free + 1, count))
        return start, order, 1 + flat_before + np.concatenate(([0], np.cumsum(self.holds[order])[:-1])).astype(np.int64)

    @property
    def starts(self) -> tuple[int, int]:
        """Number of stretches of the window's length that lie before it, and after it."""
        after = len(self.bars) - self.begin - 2 * self.length + 1
        return max(0, self.begin - self.length + 1), max(0, after)


def random_entries(
    wf: Any, bars: Bars | None = None, *, repetitions: int = 999, metric: str = "sharpe_ratio", seed: int = 0
) -> RandomEntries:
    """Compare the entries of a walk-forward with random ones, out of sample.

    The positions of each test window keep their number, sides and holding times. They are placed at random in a
    random stretch of the bars outside the test window and as long as it, in random order, without overlap. Costs
    and sizing are the run's; orders fill at opens, and a position that a stop or target closed inside a bar is held to
    the next open.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again if not given.
    repetitions : int
    metric : {"sharpe_ratio", "total_return", "max_drawdown"}
    seed : int

    Raises
    ------
    SettingsError
        An unknown metric, a run that is sized by risk, one that never held a position out of sample, or a test window
        with fewer bars outside of it than in it.

    Notes
    -----
    The stretch lies outside the test window because sides and holding times depend on the path: a trend-following rule
    stays long for longer where the price rises, so any long positions with these holding times profit there, and the
    run ranks too low (mean rank 0.14 instead of 0.5 for `EmaCrossStrategy`); one that trades against the trend ranks
    too high. On other bars the same positions earn only the drift, like the run's own without an edge.

    Ranks on random walks are close to uniform; docs/decision.md has the measurement. The drift is taken from the bars
    outside the window, so a rule that only holds the market ranks near one half whatever the market did: for rules
    that are nearly always in the market in one direction the ranks are closer to one half than uniform ones, and
    `pvalue` is too large rather than too small.
    """
    if metric not in METRICS:
        raise SettingsError(f"metric={metric!r} is unknown; allowed: {', '.join(METRICS)}.{nearest(metric, METRICS)}")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 1:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 1.")
    check_seed(seed)
    if wf.spec.sizing.kind == "risk":
        raise SettingsError("random entries have no stop, so the risk that the run was sized by cannot be repeated.")
    whole = recorded_bars(wf, bars)
    windows = _windows(wf, whole)
    positions = sum(len(window.sides) for window in windows)
    if not positions:
        raise SettingsError("the run held no position out of sample, so there are no entries to compare.")
    for window in windows:
        if not sum(window.starts):
            raise SettingsError(
                f"a test window has {window.length:,} of the {len(whole):,} bars, so no stretch of that length lies "
                "outside of it for random entries; use shorter test windows or more bars."
            )
    periods = whole.periods_per_year
    own = [(w.begin, np.arange(len(w.sides)), w.begins) for w in windows]
    replayed = _measure(windows, own, metric, periods)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 999]))
    null = np.array([_measure(windows, [w.draw(rng) for w in windows], metric, periods) for _ in range(repetitions)])
    observed = float(wf.metrics[metric])
    better = int((null >= (observed if np.isfinite(observed) else -np.inf)).sum())
    return RandomEntries(
        metric, observed, replayed, null, (1 + better) / (1 + repetitions), positions,
        {"repetitions": repetitions, "seed": seed},
    )  # fmt: skip


def _windows(wf: Recorded, bars: Bars) -> list[_Window]:
    """Tested windows with the positions held in them, from the run's recorded equity."""
    settings = replace(recorded_settings(wf.spec), fill="next_open")
    found = []
    for fold in range(len(windows_of(wf))):
        rows = wf.equity.filter(pl.col("fold") == fold)
        if not len(rows):
            continue
        begin = int(np.searchsorted(bars.time, rows["timestamp"].to_physical()[0]))
        inside = wf.trades.filter(pl.col("fold") == fold, pl.col("exit_reason").is_in(_INSIDE))
        ends = np.searchsorted(bars.time, inside["exit_time"].to_physical().to_numpy()) - begin
        spells = _spells(rows["position"].to_numpy(), ends)
        found.append(_Window(bars, begin, *spells, length=len(rows), settings=settings))
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


def _measure(
    windows: Sequence[_Window], places: Sequence[tuple[int, IntArray, IntArray]], metric: str, periods: float
) -> float:
    """Metric of the chained windows with their positions at places; minus infinity if undefined."""
    returns = [window.returns(*place) for window, place in zip(windows, places, strict=True)]
    found = float(m.from_returns(np.concatenate(returns), periods_per_year=periods)[metric])
    return found if np.isfinite(found) else -np.inf


def _signals(length: int, sides: IntArray, begins: IntArray, holds: IntArray) -> Signals:
    """Signals one bar before each entry and exit, so that both fill at the opens of the wanted bars.

    Two positions of one side without a flat bar between them would be one: the first is left a bar sooner, where it
    is longer than a bar.
    """
    touching = np.concatenate(((begins[:-1] + holds[:-1] == begins[1:]) & (sides[:-1] == sides[1:]), [False]))
    holds = holds - (touching[: len(holds)] & (holds > 1))
    flags = np.zeros((4, length), np.bool_)
    enter, leave = begins - 1, begins + holds - 1
    inside = leave < length
    for row, side in ((0, 1), (2, -1)):
        flags[row, enter[sides == side]] = True
        flags[row + 1, leave[(sides == side) & inside]] = True
    return Signals(*flags)
