"""Combinatorial purged cross-validation: many out-of-sample paths from the parameter sets that were tried.

Source: M. López de Prado, Advances in Financial Machine Learning, 2018, chapter 12. Paths of one series hang together,
so their spread is a picture of how much the choice matters, and not a confidence interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.reproduce.bars import recorded_bars
from maestro.reproduce.plan import recorded_plan
from maestro.reproduce.recorded import Recorded
from maestro.typing import FloatArray, IntArray
from maestro.validation.statistics.trials import parameter_sets, trial_returns

MOST_SPLITS = 5_000
"""Largest number of splits: each is one choice among all sets."""


@dataclass(frozen=True)
class Cpcv:
    """Result of `cpcv`.

    Attributes
    ----------
    returns : float64[T, P]
        Out-of-sample returns per bar of each of the P paths; every path covers all bars once.
    stamps : int64[T]
        Open of each bar [µs since 1970, UTC].
    splits : polars frame
        One row per split: split, test groups (list), chosen (row in `sets`), train_sharpe, test_sharpe (annualised).
    sets : polars frame
        The parameter sets to choose from.
    groups, test : int
    purge, embargo : int
        Bars left out of training on both sides of a test group, and further bars after it.
    periods_per_year : float
    """

    returns: FloatArray
    stamps: IntArray
    splits: pl.DataFrame
    sets: pl.DataFrame
    groups: int
    test: int
    purge: int
    embargo: int
    periods_per_year: float

    @property
    def table(self) -> pl.DataFrame:
        """One row per path: path, sharpe_ratio, total_return, annual_return, volatility, max_drawdown."""
        names = ("sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown")
        rows = []
        for k in range(self.returns.shape[1]):
            found = m.from_returns(self.returns[:, k], periods_per_year=self.periods_per_year)
            rows.append({"path": k, **{name: found[name] for name in names}})
        return pl.DataFrame(rows)

    @property
    def degradation(self) -> float:
        """Mean over the splits of the Sharpe ratio in testing less that in training, annualised."""
        gap = self.splits["test_sharpe"] - self.splits["train_sharpe"]
        return float(gap.drop_nans().mean() or math.nan)  # type: ignore[arg-type]

    def figure(self, **options: Any) -> Any:
        """Fan of the paths' equity, as a Bokeh figure."""
        return hook("cpcv_figure")(self, **options)

    def __repr__(self) -> str:
        sharpe = self.table["sharpe_ratio"].to_numpy()
        return (
            f"Cpcv({self.groups} groups, {self.test} tested: {len(self.splits)} splits, {self.returns.shape[1]} paths; "
            f"Sharpe ratio {np.min(sharpe):.2f} to {np.max(sharpe):.2f}, median {np.median(sharpe):.2f})"
        )

    def _repr_html_(self) -> str:
        return str(hook("cpcv_html")(self)._repr_html_())


def cpcv(
    wf: Recorded,
    bars: Bars | None = None,
    *,
    groups: int = 10,
    test: int = 2,
    purge: int | None = None,
    embargo: int = 0,
    strategy: Any = None,
    **settings: Any,
) -> Cpcv:
    """Choose among the sets of a walk-forward on every combination of groups, and test on the other groups.

    The bars are cut into `groups` equal groups. For each choice of `test` of them, the set with the best Sharpe ratio
    on the others is taken, and its returns on the test groups are kept. The C(groups, test) splits recombine into
    C(groups, test) · test / groups paths over all bars. Each distinct set is simulated once.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again if not given.
    groups, test : int
    purge : int, optional
        Bars left out of training on both sides of each test group; the longest holding time out of sample plus the
        longest warm-up among the sets if not given.
    embargo : int
        Further bars left out after each test group.
    strategy, settings
        As of `trial_returns`: ``most=``, ``max_bytes=``, ``cancel=``, ``progress=``.

    Raises
    ------
    SettingsError
        Impossible numbers, gaps that leave no training bar, or fewer than two sets to choose from.
    """
    check_groups(groups, test)
    if isinstance(embargo, bool) or not isinstance(embargo, int) or embargo < 0:
        raise SettingsError(f"embargo={embargo!r} is not a whole number of at least 0.")
    whole = recorded_bars(wf, bars)
    found = trial_returns(wf, whole, strategy=strategy, **settings)
    if found.returns.shape[1] < 2:
        raise SettingsError("one set alone could be simulated, so there is nothing to choose from.")
    if purge is None:
        plan = recorded_plan(wf, strategy)
        made = [plan.strategy(**params) for params in parameter_sets(found.sets, plan)]
        purge = longest_holding(wf.trades, found.stamps) + max(int(one.warmup(one.params)) for one in made)
    if isinstance(purge, bool) or not isinstance(purge, int) or purge < 0:
        raise SettingsError(f"purge={purge!r} is not a whole number of at least 0.")
    splits = purged_splits(len(found.returns), groups, test, purge, embargo)
    paths = np.empty((len(found.returns), len(splits) * test // groups))
    used = np.zeros(groups, np.int64)
    ends = group_edges(len(found.returns), groups)
    totals = np.vstack((np.zeros(found.returns.shape[1]), np.cumsum(found.returns, axis=0)))
    squares = np.vstack((np.zeros(found.returns.shape[1]), np.cumsum(found.returns**2, axis=0)))
    periods = whole.periods_per_year / found.bars_per_period
    rows = []
    for k, (tested, training) in enumerate(splits):
        scores = _sharpe(totals, squares, training, periods)
        if np.isnan(scores).all():
            raise SettingsError(f"no set has a Sharpe ratio on the training groups of split {k}: nothing was traded.")
        chosen = int(np.nanargmax(scores))
        inside = [(ends[g], ends[g + 1]) for g in tested]
        rows.append({"split": k, "groups": list(tested), "chosen": chosen, "train_sharpe": float(scores[chosen]),
                     "test_sharpe": float(_sharpe(totals, squares, inside, periods)[chosen])})  # fmt: skip
        for g in tested:
            paths[ends[g] : ends[g + 1], used[g]] = found.returns[ends[g] : ends[g + 1], chosen]
            used[g] += 1
    schema: dict[str, Any] = {
        "split": pl.Int64,
        "groups": pl.List(pl.Int64),
        "chosen": pl.Int64,
        "train_sharpe": pl.Float64,
        "test_sharpe": pl.Float64,
    }
    return Cpcv(
        paths, found.stamps, pl.DataFrame(rows, schema=schema), found.sets, groups, test, purge, embargo, periods
    )


def check_groups(groups: int, test: int) -> None:
    """Refuse numbers of groups that cannot be combined."""
    for name, value, low in (("groups", groups, 3), ("test", test, 2)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise SettingsError(f"{name}={value!r} is not a whole number of at least {low}.")
    if test >= groups:
        raise SettingsError(f"test={test} of {groups} groups leaves none for training; give fewer.")
    if math.comb(groups, test) > MOST_SPLITS:
        raise SettingsError(
            f"{groups} groups with {test} tested give {math.comb(groups, test):,} splits, more than {MOST_SPLITS:,}; "
            "give fewer groups, or a `test` further from half of them."
        )


def group_edges(n: int, groups: int) -> list[int]:
    """First bar of each group, and the end; the last group takes the bars that do not divide."""
    size = n // groups
    return [*(size * g for g in range(groups)), n]


def purged_splits(
    n: int, groups: int, test: int, purge: int, embargo: int
) -> list[tuple[tuple[int, ...], list[tuple[int, int]]]]:
    """Test groups and training intervals [start, stop) of every split, in lexicographic order of the groups.

    Raises
    ------
    SettingsError
        A split would have no training bar.
    """
    edges = group_edges(n, groups)
    found = []
    for tested in combinations(range(groups), test):
        free = np.ones(n, np.bool_)
        for g in tested:
            begin = edges[g] if g - 1 in tested else edges[g] - purge
            stop = edges[g + 1] if g + 1 in tested else edges[g + 1] + purge + embargo
            free[max(begin, 0) : min(stop, n)] = False
        steps = np.flatnonzero(np.diff(np.concatenate(([0], free.view(np.int8), [0]))))
        training = [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]
        if not training:
            raise SettingsError(
                f"purge={purge} and embargo={embargo} leave no training bar beside the test groups {list(tested)} of "
                f"{n:,} bars in {groups} groups; give fewer groups or smaller gaps."
            )
        found.append((tested, training))
    return found


def longest_holding(trades: pl.DataFrame, stamps: IntArray) -> int:
    """Bars that the longest trade was held."""
    if not len(trades):
        return 0
    held = [np.searchsorted(stamps, trades[name].to_physical().to_numpy()) for name in ("entry_time", "exit_time")]
    return int((held[1] - held[0]).max())


def _sharpe(totals: FloatArray, squares: FloatArray, intervals: list[tuple[int, int]], periods: float) -> FloatArray:
    """Annual Sharpe ratio (ddof 1) of every set over some intervals, from running sums."""
    count = sum(b - a for a, b in intervals)
    total = np.sum([totals[b] - totals[a] for a, b in intervals], axis=0)
    square = np.sum([squares[b] - squares[a] for a, b in intervals], axis=0)
    mean = total / count
    variance = (square - count * mean**2) / max(count - 1, 1)
    defined = variance > 1e-28
    return np.where(defined, mean / np.sqrt(np.where(defined, variance, 1.0)) * math.sqrt(periods), np.nan)
