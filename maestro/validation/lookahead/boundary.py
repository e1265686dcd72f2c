"""Boundary audit: repeat each fold's search with different bars after its training window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import LEFT, html, outcome_cell, table
from maestro.bars import Bars
from maestro.engine import Costs, Sizing
from maestro.errors import SettingsError, SplitError
from maestro.metrics import NAMES
from maestro.search.space import Space
from maestro.search.tpe import check_seed
from maestro.strategies import Strategy, strategy_class
from maestro.validation.lookahead.probing import COLUMNS, private
from maestro.walkforward.fold import FoldResult, run_fold
from maestro.walkforward.plan import Plan
from maestro.walkforward.selection import Select, Selection
from maestro.walkforward.splitter_text import splitter_of
from maestro.walkforward.splitters import Splitter, Window, checked

_TABLE: dict[str, Any] = {
    "fold": pl.Int64, "check": pl.String, "passed": pl.Boolean, "train_stop": pl.Int64, "test_start": pl.Int64,
    "finding": pl.String,
}  # fmt: skip

_MARKS = {True: "✓", False: "✗", None: "–"}


@dataclass(frozen=True)
class BoundaryAudit:
    """Result of `boundary_audit`.

    Attributes
    ----------
    passed : bool
        Whether no check found a problem in any fold. A fold without a complete trial cannot be compared (null).
    table : polars frame, one row per fold and check
        fold, check, passed, train_stop and test_start (bar indices), finding.
    strategy, bars : str
        Strategy that was checked, and the bars.
    """

    table: pl.DataFrame
    strategy: str
    bars: str

    @property
    def passed(self) -> bool:
        """Whether no check found a problem."""
        return self.failed.is_empty()

    @property
    def failed(self) -> pl.DataFrame:
        """Rows of the checks that found a problem."""
        return self.table.filter(~pl.col("passed"))

    def _verdict(self) -> str:
        folds = self.table["fold"].n_unique()
        bad, none = len(self.failed), self.table["passed"].null_count()
        outcome = f"{bad} FAILED" if bad else f"{none} with nothing to compare" if none else "all passed"
        return f"{folds} folds, {len(self.table)} checks, {outcome}"

    def __repr__(self) -> str:
        lines = [f"BoundaryAudit({self.strategy} on {self.bars}: {self._verdict()})"]
        lines += [f"  fold {row['fold']}, {row['check']}: {row['finding']}" for row in self.failed.to_dicts()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title = html("<p><b>{}</b> on {}: {}</p>", self.strategy, self.bars, self._verdict())
        rows = (
            (row["fold"], row["check"], outcome_cell(row["passed"], _MARKS[row["passed"]]), row["finding"])
            for row in self.table.to_dicts()
        )
        return str(title + table(("fold", "check", "", "finding"), rows, ("", "", "", LEFT)))


def boundary_audit(
    bars: Bars,
    strategy: str | Strategy | type[Strategy],
    *,
    splitter: Splitter | str = "rolling:10,2,1",
    trials: int = 25,
    search: Any = "tpe",
    seed: int = 0,
    params: dict[str, Any] | None = None,
    space: dict[str, Any] | None = None,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    fill: Any = "next_open",
    select: Select = ("sharpe_ratio", "vwr"),
    folds: Sequence[int] | None = None,
    recorded: pl.DataFrame | None = None,
) -> BoundaryAudit:
    """Check that no bar in or after a test window influenced the training of its fold.

    Four checks per fold:

    - *windows*: training ends before the test begins; `purge` bars are missing at the end of training and `embargo`
      bars at the beginning of the test, compared with the same split without gaps.
    - *splitter*: with different prices from the test on, all windows up to this fold are the same. (The number of bars
      and their timestamps stay: a splitter may know those.) If test windows end by an event, the end may depend on the
      bars inside the window, and on none after it.
    - *training*: the search is repeated on bars that differ completely from the end of the training window on. Every
      trial, its parameters and metrics, must be bit-identical, and so must the choice.
    - *test*: the whole fold is repeated on bars that differ before its training window and after its test window;
      trials, metrics, equity and trades must be bit-identical.

    Parameters
    ----------
    bars, strategy, splitter, trials, search, seed, params, space, costs, sizing, cash, fill, select
        As in `ms.walk_forward`; fewer trials show the same in less time.
    folds : sequence of int, optional
        Folds to check; by default all.
    recorded : polars frame, optional
        ``wf.trials`` of a run with the same settings, to compare the run's own trials with the repeated ones.

    Raises
    ------
    SettingsError, SplitError, ParameterError, StrategyError
        As in `ms.walk_forward`.
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    check_seed(seed)
    cls, fixed = strategy_class(strategy, params)
    cut = splitter_of(splitter)
    searched = Space(cls, fixed, space)
    first: tuple[dict[str, Any], ...] = ()
    if isinstance(strategy, Strategy):
        first = (searched.check({name: strategy.params[name] for name in searched.names}),)
    plan = Plan(
        cls, searched, search, trials, seed, Selection.of(select), costs or Costs(), Sizing.of(sizing), float(cash),
        fill, first,
    )  # fmt: skip
    windows = checked(cut.split(bars), len(bars))
    wanted = list(range(len(windows))) if folds is None else list(folds)
    for k in wanted:
        if not 0 <= k < len(windows):
            raise SettingsError(f"there is no fold {k}; the folds are 0 to {len(windows) - 1}.")
    rows = []
    for k in wanted:
        window = windows[k]
        fold = run_fold(plan, bars, window, k)
        complete = int((fold.trials["state"] == "complete").sum()) if len(fold.trials) else 0
        for check, words in (
            ("windows", _gaps(cut, windows, k, bars)),
            ("splitter", _same_windows(cut, windows, k, bars)),
            ("training", _same_training(plan, bars, window, k, fold, recorded)),
            ("test", _same_fold(plan, bars, window, k, fold)),
        ):
            empty = not words and check in ("training", "test") and not complete
            rows.append(
                {"fold": k, "check": check, "passed": None if empty else not words, "train_stop": window.train_stop,
                 "test_start": window.test_start, "finding": _EMPTY if empty else words or _FINE[check]}
            )  # fmt: skip
    return BoundaryAudit(pl.DataFrame(rows, schema=_TABLE), cls.__name__, bars.name or f"{len(bars):,} bars")


_FINE = {
    "windows": "Training ends before the test begins, and the gaps are kept.",
    "splitter": "The windows do not move when the prices from the test on are others.",
    "training": "Every trial and the choice are the same to the bit with another future.",
    "test": "The fold is the same to the bit when all bars outside its windows are others.",
}


_EMPTY = "No trial is complete, so there is nothing to compare."


def elsewhere(bars: Bars, stretches: Sequence[slice], seed: int) -> Bars:
    """Return bars that are others in some stretches: reversed, at two and a half times the price, with other noise."""
    rng = np.random.default_rng(seed)
    path = 2.5 * np.exp(np.cumsum(rng.normal(0.0, 0.02, len(bars))))
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = getattr(bars, name)
        if values is not None:
            columns[name] = np.array(values)
            for one in stretches:
                scale = path[one] if name in ("open", "high", "low", "close") else 1.7
                columns[name][one] = columns[name][one][::-1] * scale
    return private(bars, **columns)


def _gaps(splitter: Any, windows: Sequence[Window], k: int, bars: Bars) -> str:
    purge, embargo = (int(getattr(splitter, name, 0) or 0) for name in ("purge", "embargo"))
    w = windows[k]
    if w.test_start - w.train_stop < purge + embargo:
        gap = w.test_start - w.train_stop
        return f"Only {gap} bars lie between training and test; purge {purge} and embargo {embargo} ask for more."
    if (purge or embargo) and is_dataclass(splitter):
        ungapped: Any = replace(splitter, purge=0, embargo=0)  # type: ignore[type-var]
        bare = ungapped.split(bars)[k]
        due = Window(bare[0], bare[1] - purge, bare[2] + embargo, bare[3])
        if due != w:
            return f"The windows are {tuple(w)}; without gaps they are {tuple(bare)}, so they should be {tuple(due)}."
    if k and w.test_start < windows[k - 1].test_start:
        return f"The test begins at bar {w.test_start}, before that of the fold before ({windows[k - 1].test_start})."
    return ""


def _same_windows(splitter: Splitter, windows: Sequence[Window], k: int, bars: Bars) -> str:
    """Whether the windows up to a fold stay with other prices later on.

    Of a splitter whose test windows end by an event (``event_stops``), the end of this fold's test may depend on the
    bars inside it, but on none after it.
    """
    triggered = bool(getattr(splitter, "event_stops", False))
    words = _moved(splitter, windows, k, bars, windows[k].test_start, 3 if triggered else 4, "from the test on")
    if words or not triggered:
        return words
    return _moved(splitter, windows, k, bars, windows[k].test_stop, 4, "after the test")


def _moved(
    splitter: Splitter, windows: Sequence[Window], k: int, bars: Bars, begin: int, edges: int, where: str
) -> str:
    """What moves with other prices from a bar on; of fold `k` itself only the first `edges` edges are compared."""
    try:
        found = checked(splitter.split(elsewhere(bars, [slice(begin, None)], k)), len(bars))
    except SplitError as error:
        return f"With other prices {where} the splitter finds no windows: {error}"
    for j, w in enumerate(windows[: k + 1]):
        count = edges if j == k else 4
        if j >= len(found) or found[j][:count] != w[:count]:
            now = tuple(found[j]) if j < len(found) else "missing"
            return f"With other prices {where} fold {j} is {now} and not {tuple(w)}: the splitter looks ahead."
    return ""


def _same_training(
    plan: Plan, bars: Bars, window: Window, k: int, fold: FoldResult, recorded: pl.DataFrame | None
) -> str:
    again = run_fold(plan, elsewhere(bars, [slice(window.train_stop, None)], k), window, k)
    words = _unequal(fold.trials, again.trials, "with another future")
    if recorded is not None and not words:
        words = _unequal(again.trials, recorded.filter(pl.col("fold") == k), "in the recorded run")
    return words


def _same_fold(plan: Plan, bars: Bars, window: Window, k: int, fold: FoldResult) -> str:
    outside = [slice(0, window.train_start), slice(window.test_stop, None)]
    again = run_fold(plan, elsewhere(bars, outside, k + 1_000_000), window, k)
    words = _unequal(fold.trials, again.trials, "with other bars outside the windows")
    if words:
        return words
    if fold.error != again.error:
        return f"With other bars outside the windows the fold ends in {again.error!r} and not in {fold.error!r}."
    if fold.test_metrics is not None and again.test_metrics is not None:
        for name, a, b in zip(NAMES, fold.test_metrics, again.test_metrics, strict=True):
            if a.tobytes() != b.tobytes():
                return f"With other bars outside the windows {name} of the test is {b} and not {a}."
    if fold.equity.tobytes() != again.equity.tobytes():
        return "With other bars outside the windows the equity of the test is another one."
    return ""


def _unequal(trials: pl.DataFrame, others: pl.DataFrame, where: str) -> str:
    """Name the first trial and column that two tables of trials give differently, to the bit."""
    if len(trials) != len(others):
        return f"There are {len(others)} trials {where}, and {len(trials)} otherwise."
    for name in trials.columns:
        a, b = trials[name], others[name]
        if a.dtype == pl.Float64:
            bits = a.to_numpy().view(np.int64) != b.cast(pl.Float64).to_numpy().view(np.int64)
            unequal = bits & ~(np.isnan(a.to_numpy()) & np.isnan(b.to_numpy()))
        else:
            unequal = a.ne_missing(b).to_numpy()
        if unequal.any():
            i = int(np.argmax(unequal))
            return f"Trial {trials['trial'][i]} has {name} {b[i]!r} {where}, and {a[i]!r} otherwise."
    return ""
