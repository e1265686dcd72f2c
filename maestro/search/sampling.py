"""Which parameter sets a grid, a random or a Sobol search evaluates, and in which order they are visited."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.errors import SettingsError
from maestro.search.sobol import Sobol
from maestro.search.space import Columns, Space
from maestro.typing import FloatArray, IntArray, Parameters

METHODS = ("grid", "random", "sobol")
"""Searches whose sets are known before the first is evaluated."""

_PATIENCE = 200
"""Sets drawn for each one wanted before constraints are called hopeless."""


def propose_all(space: Space, method: str, n: int, seed: int, first: Sequence[Parameters] = ()) -> Columns:
    """Return all sets of a search at once, none of which breaks a constraint.

    Parameters
    ----------
    method : {"grid", "random", "sobol"}
    n : int
        ``random`` and ``sobol`` give exactly so many (equal ones among them where parameters are whole numbers),
        ``grid`` at most so many.
    seed : int
        0 to 2**32 - 1; a grid does not depend on it.
    first : sequence of dict
        Complete sets that stand in front and count among the `n`.

    Raises
    ------
    SettingsError
        The constraints leave (almost) nothing.
    """
    leading = space.columns(list(first[:n]))
    wanted = n - len(first[:n])
    if method == "grid":
        drawn = grid(space, wanted)
    elif method == "random":
        rng = np.random.RandomState(seed)
        drawn = _draw(space, wanted, lambda count: rng.random_sample((count, len(space.dimensions))))
    else:
        drawn = _draw(space, wanted, Sobol(len(space.dimensions), seed).draw)
    if not first:
        return drawn
    return {name: np.concatenate([leading[name], drawn[name]]) for name in space.names}


def _draw(space: Space, n: int, points: Callable[[int], FloatArray]) -> Columns:
    """First `n` feasible sets of a stream of points in the unit cube."""
    kept: list[Columns] = []
    found = drawn = 0
    limit = _PATIENCE * n + 20_000
    while found < n:
        share = max(found, 1) / drawn if drawn else 1.0
        count = min(math.ceil((n - found) / share * 1.05) + 16 if drawn else n, 4 * n + 4096)
        unit = points(count)
        columns = {d.name: d.from_unit(unit[:, k]) for k, d in enumerate(space.dimensions)}
        if space.constraints:
            mask = space.feasible_mask(columns)
            columns = {name: column[mask] for name, column in columns.items()}
        kept.append(columns)
        drawn += count
        found += len(columns[space.names[0]])
        if found < n and drawn > limit:
            rules = " and ".join(c.rule for c in space.constraints)
            raise SettingsError(
                f"Only {found} of {drawn} sets drawn from {space.describe()} satisfy {rules}, {n} are wanted; "
                "choose ranges in which it holds more often."
            )
    if not kept:
        return space.columns([])
    return {name: np.concatenate([columns[name] for columns in kept])[:n] for name in space.names}


def grid(space: Space, n: int) -> Columns:
    """Return every feasible set where there are at most `n`, else the finest even grid with at most `n` of them.

    A real number without steps has as many levels as the number allows; ends of ranges are levels.
    """
    if n <= 0:
        return space.columns([])
    bounds = [n if d.size is None else min(d.size, n) for d in space.dimensions]

    def at(level: int) -> list[int]:
        return [min(level, bound) for bound in bounds]

    def fits(levels: list[int]) -> Columns | None:
        if math.prod(levels) > _PATIENCE * n:
            return None
        columns = _lattice(space, levels)
        return columns if len(columns[space.names[0]]) <= n else None

    low, high = 1, max(bounds)
    best = fits(at(low))
    while low < high:
        middle = (low + high + 1) // 2
        columns = fits(at(middle))
        if columns is None:
            high = middle - 1
        else:
            low, best = middle, columns
    levels = at(low)
    for k, bound in enumerate(bounds):  # what is left of the budget, to the parameters declared first
        if levels[k] < bound:
            finer = [*levels[:k], levels[k] + 1, *levels[k + 1 :]]
            columns = fits(finer)
            if columns is not None:
                levels, best = finer, columns
    if best is None or not len(best[space.names[0]]):
        rules = " and ".join(c.rule for c in space.constraints)
        raise SettingsError(
            f"No set on a grid of at most {n} points over {space.describe()} satisfies {rules}; raise the number of "
            "trials or choose ranges in which it holds."
        )
    return best


def _lattice(space: Space, levels: Sequence[int]) -> Columns:
    """Feasible points of the lattice with so many levels a parameter, the last parameter running fastest."""
    axes = [d.levels(level) for d, level in zip(space.dimensions, levels, strict=True)]
    places = np.indices([len(axis) for axis in axes]).reshape(len(axes), -1)
    columns = {d.name: axis[place] for d, axis, place in zip(space.dimensions, axes, places, strict=True)}
    if not space.constraints:
        return columns
    mask = space.feasible_mask(columns)
    return {name: column[mask] for name, column in columns.items()}


def visits(columns: Columns) -> tuple[IntArray, IntArray]:
    """Return rows to evaluate, each distinct set once and neighbours together, and where each row's result stands.

    Neighbours share indicator columns, which a cache of bounded size then still holds: sets are visited along a
    Z-order curve (G. M. Morton, 1966) through the ranks of their values.

    Returns
    -------
    rows : int64[m]
        First occurrence of each distinct set, in the order of visit.
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
    if column.dtype == object:  # options, which need not be sortable
        codes: dict[Any, int] = {}
        return np.fromiter((codes.setdefault(value, len(codes)) for value in column), np.int64, len(column))
    return np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
