"""The parameter sets of a grid, random or Sobol search, and the order of their evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.errors import SettingsError, WarmupError
from maestro.search.sobol import Sobol
from maestro.search.space import Columns, Space
from maestro.strategies.base import Strategy, warmup_excess
from maestro.typing import BoolArray, FloatArray, IntArray, Parameters

METHODS = ("grid", "random", "sobol")
"""Searches whose sets are known before the first is evaluated."""

_PATIENCE = 200
"""Sets drawn for each one wanted before giving up."""
_SAMPLE = 512
"""Sets from which `share_left_out` is estimated."""


def propose_all(
    space: Space, method: str, n: int, seed: int, first: Sequence[Parameters] = (), bars: int | None = None
) -> Columns:
    """Return all sets of a search at once, none of which breaks a constraint.

    Parameters
    ----------
    method : {"grid", "random", "sobol"}
    n : int
        ``random`` and ``sobol`` give exactly this many (some may be equal if parameters are whole numbers), ``grid``
        at most this many.
    seed : int
        0 to 2**32 - 1; a grid does not depend on it.
    first : sequence of dict
        Complete sets that come first and count towards `n`.
    bars : int, optional
        Leave out sets whose warm-up is longer than half of so many bars (not those of `first`).

    Raises
    ------
    SettingsError
        The constraints leave (almost) nothing.
    WarmupError
        (Almost) no set has a warm-up that fits into the bars.
    """
    leading = space.columns(list(first[:n]))
    wanted = n - len(first[:n])
    if method == "grid":
        drawn = grid(space, wanted, bars)
    elif method == "random":
        rng = np.random.RandomState(seed)
        drawn = _draw(space, wanted, lambda count: rng.random_sample((count, len(space.dimensions))), bars)
    else:
        drawn = _draw(space, wanted, Sobol(len(space.dimensions), seed).draw, bars)
    if not first:
        return drawn
    return {name: np.concatenate([leading[name], drawn[name]]) for name in space.names}


def share_left_out(space: Space, bars: int) -> float:
    """Share of the sets that break no constraint whose warm-up is longer than half of so many bars; 0 to 1."""
    if space.strategy.warmup is Strategy.warmup:
        return 0.0
    key = (space.strategy, space.strategy.warmup, repr((space.to_dict(), space.fixed)), bars)
    found = _shares.get(key)
    if found is None:
        try:
            columns = propose_all(space, "sobol", _SAMPLE, 0)
        except SettingsError:  # the constraints leave nothing, which the search itself reports
            found = 0.0
        else:
            found = 1.0 - float(_fitting(space, columns, bars).mean())
        if len(_shares) >= _SHARES:
            _shares.clear()
        _shares[key] = found
    return found


_shares: dict[tuple[Any, ...], float] = {}
"""Shares that were computed, by strategy, space and bars: walk-forwards on many series ask for the same ones."""
_SHARES = 256


def _fitting(space: Space, columns: Columns, bars: int) -> BoolArray:
    rows = len(columns[space.names[0]])
    return np.fromiter((not warmup_excess(space.strategy, row, bars) for row in space.rows(columns)), np.bool_, rows)


def _usable(space: Space, columns: Columns, bars: int | None) -> Columns:
    """Columns without the sets that break a constraint or do not fit into the bars."""
    if space.constraints:
        mask = space.feasible_mask(columns)
        columns = {name: column[mask] for name, column in columns.items()}
    if bars is not None and space.strategy.warmup is not Strategy.warmup:
        mask = _fitting(space, columns, bars)
        if not mask.all():
            columns = {name: column[mask] for name, column in columns.items()}
    return columns


def _nothing_left(space: Space, words: str, remedy: str, bars: int | None) -> SettingsError | WarmupError:
    """Error for a space of which constraints or the warm-up leave too little."""
    rules = [constraint.rule for constraint in space.constraints]
    if bars is None or not share_left_out(space, bars):
        return SettingsError(f"{words} {' and '.join(rules)}; {remedy}.")
    rules.append(f"a warm-up of at most half of the {bars:,} bars")
    return WarmupError(f"{words} {' and '.join(rules)}; {remedy}, or give more bars.")


def _draw(space: Space, n: int, points: Callable[[int], FloatArray], bars: int | None) -> Columns:
    """First `n` usable sets of a stream of points in the unit cube."""
    kept: list[Columns] = []
    found = drawn = 0
    limit = _PATIENCE * n + 20_000
    while found < n:
        share = max(found, 1) / drawn if drawn else 1.0
        count = min(math.ceil((n - found) / share * 1.05) + 16 if drawn else n, 4 * n + 4096)
        unit = points(count)
        columns = _usable(space, {d.name: d.from_unit(unit[:, k]) for k, d in enumerate(space.dimensions)}, bars)
        kept.append(columns)
        drawn += count
        found += len(columns[space.names[0]])
        if found < n and drawn > limit:
            words = f"{n} sets are wanted, and only {found} of {drawn} drawn from {space.describe()} satisfy"
            raise _nothing_left(space, words, "choose ranges in which more sets do", bars)
    if not kept:
        return space.columns([])
    return {name: np.concatenate([columns[name] for columns in kept])[:n] for name in space.names}


def grid(space: Space, n: int, bars: int | None = None) -> Columns:
    """Return every usable set if there are at most `n`, else the finest even grid with at most `n` of them.

    A real number without steps has as many levels as `n` allows; the ends of ranges are levels.
    """
    if n <= 0:
        return space.columns([])
    bounds = [n if d.size is None else min(d.size, n) for d in space.dimensions]
    # Asking every row of every lattice is slow, and needed only if the warm-up of some sets does not fit.
    asked = bars if bars is not None and share_left_out(space, bars) else None

    def at(level: int) -> list[int]:
        return [min(level, bound) for bound in bounds]

    def small(levels: list[int]) -> Columns | None:
        if math.prod(levels) > _PATIENCE * n:
            return None
        columns = _usable(space, _lattice(space, levels), asked)
        return columns if len(columns[space.names[0]]) <= n else None

    low, high = 1, max(bounds)
    best = small(at(low))
    while low < high:
        middle = (low + high + 1) // 2
        columns = small(at(middle))
        if columns is None:
            high = middle - 1
        else:
            low, best = middle, columns
    levels = at(low)
    for k, bound in enumerate(bounds):  # the rest of the budget goes to the parameters declared first
        if levels[k] < bound:
            finer = [*levels[:k], levels[k] + 1, *levels[k + 1 :]]
            columns = small(finer)
            if columns is not None:
                levels, best = finer, columns
    if best is None or not len(best[space.names[0]]):
        words = f"No set on a grid of at most {n} points over {space.describe()} satisfies"
        raise _nothing_left(space, words, "raise the number of trials, or choose ranges in which some do", bars)
    return _usable(space, best, bars) if asked is None else best


def _lattice(space: Space, levels: Sequence[int]) -> Columns:
    """Points of the lattice with so many levels per parameter, the last parameter running fastest."""
    axes = [d.levels(level) for d, level in zip(space.dimensions, levels, strict=True)]
    places = np.indices([len(axis) for axis in axes]).reshape(len(axes), -1)
    return {d.name: axis[place] for d, axis, place in zip(space.dimensions, axes, places, strict=True)}


def visits(columns: Columns) -> tuple[IntArray, IntArray]:
    """Return the rows to evaluate, each distinct set once and neighbours together, and the result of each row.

    Neighbours share indicator columns, which a cache of bounded size then still holds: sets are visited along a
    Z-order curve (G. M. Morton, 1966) through the ranks of their values.

    Returns
    -------
    rows : int64[m]
        First occurrence of each distinct set, in the order of evaluation.
    place : int64[n]
        Position in `rows` of the set of each row: ``results[place]`` are the results in order of proposal.
    """
    ranks = [_ranks(column) for column in columns.values()]
    n, k = len(ranks[0]), len(ranks)
    longest = max(int(rank.max(initial=0)).bit_length() for rank in ranks)
    dropped = max(0, longest - 63 // k)
    key = np.zeros(n, np.int64)
    for bit in range(longest - dropped):
        for position, rank in enumerate(ranks):
            key |= ((rank >> (bit + dropped)) & 1) << (bit * k + position)
    order = np.lexsort([*ranks, key])
    new = np.ones(n, np.bool_)
    if n:
        new[1:] = np.any([rank[order][1:] != rank[order][:-1] for rank in ranks], axis=0)
    place = np.empty(n, np.int64)
    place[order] = np.cumsum(new) - 1
    return order[new], place


def _ranks(column: NDArray[Any]) -> IntArray:
    if column.dtype == object:  # options, which need neither be sortable nor hashable: equal ones are one object
        codes: dict[int, int] = {}
        return np.fromiter((codes.setdefault(id(value), len(codes)) for value in column), np.int64, len(column))
    return np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
