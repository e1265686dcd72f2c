"""Checks that signals do not depend on later bars: the future is removed or altered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maestro.bars import Bars
from maestro.strategies.base import Strategy
from maestro.typing import BoolArray
from maestro.validation.lookahead.probing import COLUMNS, Answer, Difference, Refused, ask, differences, fills, private

_ORDER_CUTS = 20
"""Cuts at which a strategy with its own orders is simulated twice."""
_ALTERED_CUTS = 12
_CAUSE_CUTS = 6
_DRIFT = (1.5, -1.5, 0.0)
"""Means of the noise, in logarithms, that later values are scaled by: up, down, neither."""


@dataclass
class Finding:
    """Outcome of one check.

    Attributes
    ----------
    check : str
    passed : bool or None, None if it could not be made
    words : str, the finding in a sentence
    signal : str or None, the signal that changed first
    bar : int or None, the first bar at which it did
    cut : int or None, number of bars that the strategy was run on
    columns : tuple of str, columns whose later values changed it; ``length`` if only the number of bars does
    """

    check: str
    passed: bool | None
    words: str
    signal: str | None = None
    bar: int | None = None
    cut: int | None = None
    columns: tuple[str, ...] = ()


@dataclass
class Changes:
    """Signals that differ between a cut and the whole, for the table of all changes."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, cut: int, found: Sequence[Difference]) -> None:
        """Add the differences of one cut."""
        for signal, at, (whole, part) in found:
            self.rows.append(
                {"cut": cut, "signal": signal, "bar": at[0], "bars": len(at), "whole": whole, "truncated": part}
            )


def choose_cuts(answer: Answer, n: int, least: int, number: int, rng: np.random.Generator) -> list[int]:
    """Lengths to cut the bars to: half of them random, half just before, at and after bars where signals change.

    A look-ahead of a few bars is visible only if the cut is directly after a bar whose signal it affects.
    """
    if number >= n - least:
        return list(range(least, n))
    turns: BoolArray = np.zeros(n, np.bool_)
    for flags in answer.flags.values():
        turns[1:] |= flags[1:] != flags[:-1]
    at = np.flatnonzero(turns)
    near = np.unique(np.concatenate([at + shift for shift in (-1, 0, 1, 2, 3, 6)]))
    near = near[(near >= least) & (near < n)]
    chosen = set(rng.choice(near, min(number // 2, len(near)), replace=False).tolist())
    rest = np.setdiff1d(np.arange(least, n), np.fromiter(chosen, np.int64, len(chosen)))
    chosen |= set(rng.choice(rest, min(number - len(chosen), len(rest)), replace=False).tolist())
    return sorted(chosen)


def truncation(
    of: Callable[[], Strategy],
    bars: Bars,
    whole: Answer,
    cuts: Sequence[int],
    rng: np.random.Generator,
    changes: Changes,
) -> Finding:
    """Run the strategy again with the bars after each cut removed; then, at a few cuts, with them altered."""
    worst: tuple[int, int, str] | None = None
    for k in cuts:
        try:
            found = differences(whole, ask(of(), private(bars, 0, k)))
        except Refused as error:
            words = f"Given the first {k} of {len(bars)} bars the strategy raises {error}."
            return Finding("look-ahead", False, words, cut=k, columns=("length",))
        changes.add(k, found)
        worst = _first(worst, found, k)
    for k in rng.choice(np.asarray(cuts), min(_ALTERED_CUTS, len(cuts)), replace=False).tolist():
        other = altered(bars, k, ("open", "high", "low", "close"), rng, together=True)
        other |= altered(bars, k, [name for name in COLUMNS[4:] if getattr(bars, name) is not None], rng)
        try:
            found = differences(whole, ask(of(), private(bars, **other)), stop=k)
        except Refused:  # a rule may refuse such prices; what it does with fewer bars was seen above
            continue
        changes.add(k, found)
        worst = _first(worst, found, k)
    if worst is None:
        peek = _orders(of, bars, whole, cuts, rng)
        words = f"No signal up to the cut changed at any of {len(cuts)} cuts when the bars after it were taken away."
        return peek or Finding("look-ahead", True, words)
    bar, cut, signal = worst
    columns = causes(of, bars, whole, [cut, *dict.fromkeys(row["cut"] for row in changes.rows)], rng)
    if columns == ("length",):
        why = "No column's future changes it: it hangs on how many bars are given."
    else:
        why = f"It changes with later values of {', '.join(columns)}."
    at = f"{bars.timestamp[bar].astype('datetime64[s]')}".replace("T", " ")
    words = (
        f"{signal} at bar {bar} ({at} UTC) changes when the bars from {cut} on are not known; "
        f"{len({row['cut'] for row in changes.rows})} of {len(cuts)} cuts change a signal. {why}"
    )
    return Finding("look-ahead", False, words, signal, bar, cut, columns)


def _first(worst: tuple[int, int, str] | None, found: Sequence[Difference], cut: int) -> tuple[int, int, str] | None:
    options = [(one.bars[0], cut, one.signal) for one in found]
    return min([*options, worst] if worst else options, default=worst)


def _orders(
    of: Callable[[], Strategy], bars: Bars, whole: Answer, cuts: Sequence[int], rng: np.random.Generator
) -> Finding | None:
    """Compare fills up to a cut for a strategy with its own orders, whose step could read columns ahead of its bar.

    The prices stay as they are, and the columns after the cut are those of other prices: orders that were placed
    before it, and fill until the bar at the cut, cannot know them.
    """
    if not whole.series:
        return None
    prices = ("open", "high", "low", "close")
    for k in rng.choice(np.asarray(cuts), min(_ORDER_CUTS, len(cuts)), replace=False).tolist():
        later = private(bars, **altered(bars, k, prices, rng, together=True))
        try:
            mine, other = fills(whole, bars, k), fills(ask(of(), later), bars, k)
        except Refused:
            continue
        if not np.array_equal(mine, other):
            same = min(len(mine), len(other))
            unequal = [i for i in range(same) if not np.array_equal(mine[i], other[i])]
            row = unequal[0] if unequal else same
            bar = int(min(book[row, 0] for book in (mine, other) if row < len(book)))
            words = f"Orders filled at bar {bar} are others when the columns from bar {k} on are: the step reads ahead."
            return Finding("look-ahead", False, words, "orders", bar, k, prices)
    return None


def altered(
    bars: Bars, k: int, names: Sequence[str], rng: np.random.Generator, *, together: bool = False, shape: int = 0
) -> dict[str, Any]:
    """Columns with altered values from bar `k` on: scaled by noise (the same for prices `together`), or shuffled."""
    changed = {}
    m = len(bars) - k
    path = np.exp(rng.normal(_DRIFT[shape], 0.4, m))
    for name in names:
        values = np.array(getattr(bars, name))
        if name == "time":
            values[k:] += int(np.median(np.diff(bars.time))) * 37
        elif together or name in ("open", "high", "low", "close", "volume"):
            values[k:] *= path if together else np.exp(rng.normal(_DRIFT[shape], 0.4, m))
        else:
            values[k:] = -rng.permutation(values[k:]) * 3.0
        changed[name] = values
    return changed


def causes(
    of: Callable[[], Strategy], bars: Bars, whole: Answer, cuts: Sequence[int], rng: np.random.Generator
) -> tuple[str, ...]:
    """Columns that change a signal before a cut if their values after it are altered, one column at a time.

    Some of the cuts that showed a change are checked, because each may reveal another part of the rule.
    """
    guilty: tuple[str, ...] = ()
    for cut in [*cuts[:1], *cuts[1 :: max(len(cuts) // _CAUSE_CUTS, 1)]]:
        names = [one for one in ("time", *COLUMNS) if one not in guilty and getattr(bars, one) is not None]
        guilty += tuple(
            name
            for name in names
            if any(_moves(of, bars, whole, cut, altered(bars, cut, [name], rng, shape=s)) for s in range(3))
        )
    if not guilty:  # a rule that checks its bars takes only prices that fit together
        prices = ("open", "high", "low", "close")
        for s in range(3):
            if _moves(of, bars, whole, cuts[0], altered(bars, cuts[0], prices, rng, together=True, shape=s)):
                return prices
    return tuple(name for name in ("time", *COLUMNS) if name in guilty) or ("length",)


def _moves(of: Callable[[], Strategy], bars: Bars, whole: Answer, cut: int, columns: dict[str, Any]) -> bool:
    try:
        return bool(differences(whole, ask(of(), private(bars, **columns)), stop=cut))
    except Refused:
        return False
