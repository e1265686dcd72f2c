"""Are the sets of grid, random and Sobol searches those promised, and visited once, neighbours together?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from maestro.errors import SettingsError
from maestro.search.sampling import METHODS, grid, propose_all, visits
from maestro.search.space import Space
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int


class Cross(Strategy):
    fast = Int(50, 5, 100)
    slow = Int(100, 20, 200)
    constraints = (Constraint("fast < slow", lambda p: p.fast < p.slow),)


class Mixed(Strategy):
    n = Int(20, 5, 65, step=5)
    x = Float(1.0, 0.1, 10.0, log=True)
    mode = Choice(None, (None, "b", 3))
    both = Bool(True)


def sets(columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


@pytest.mark.parametrize("method", ["random", "sobol"])
@pytest.mark.parametrize("n", [1, 100, 5000])
def test_exactly_so_many_feasible_sets(method: str, n: int) -> None:
    space = Space(Cross)
    columns = propose_all(space, method, n, seed=3)
    assert len(columns["fast"]) == n
    assert (columns["fast"] < columns["slow"]).all()
    assert columns["fast"].dtype == np.int64
    assert sets(columns) == sets(propose_all(space, method, n, seed=3))
    if n > 1:
        assert sets(columns) != sets(propose_all(space, method, n, seed=4))


def test_a_longer_draw_begins_with_the_shorter() -> None:
    for method in ("random", "sobol"):
        long, short = (sets(propose_all(Space(Mixed), method, n, seed=1)) for n in (400, 130))
        assert long[:130] == short


def test_first_sets_stand_in_front() -> None:
    space = Space(Cross)
    assert space.default is not None
    columns = propose_all(space, "sobol", 50, 0, [space.default])
    assert sets(columns)[0] == (50, 100)
    assert sets(columns)[1:] == sets(propose_all(space, "sobol", 49, 0))
    assert sets(propose_all(space, "random", 1, 0, [space.default] * 3)) == [(50, 100)]


def test_constraints_that_cannot_hold_are_refused() -> None:
    class Hopeless(Cross):
        constraints = (Constraint("fast == slow - 3.5", lambda p: p.fast == p.slow - 3.5),)

    for method in METHODS:
        with pytest.raises(SettingsError, match=r"fast == slow - 3\.5"):
            propose_all(Space(Hopeless), method, 20, 0)


def test_grid_holds_every_set_where_they_fit() -> None:
    space = Space(Cross, search={"fast": (5, 30, 5), "slow": (20, 32, 4)})
    expected = [(f, s) for f in range(5, 31, 5) for s in range(20, 33, 4) if f < s]
    for budget in (len(expected), 1000):
        assert sets(grid(space, budget)) == expected
    assert len(grid(space, len(expected) - 1)["fast"]) < len(expected)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1000])
def test_grid_is_never_larger_than_asked(n: int) -> None:
    for cls in (Cross, Mixed):
        columns = grid(Space(cls), n)
        found = sets(columns)
        assert 1 <= len(found) <= n
        assert len(set(found)) == len(found)
    if n >= 100:
        assert len(sets(grid(Space(Cross), n))) > 0.7 * n


def test_grid_has_the_ends_and_keeps_to_the_scale() -> None:
    columns = grid(Space(Mixed), 13 * 3 * 2 * 5)
    assert set(columns["n"]) >= {5, 65}
    levels = np.unique(columns["x"])
    assert len(levels) >= 3
    assert (levels[0], levels[-1]) == (0.1, 10.0)
    np.testing.assert_allclose(np.diff(np.log(levels)), math.log(levels[1] / levels[0]))


def test_every_value_of_a_draw_lies_in_the_space() -> None:
    space = Space(Mixed)
    for method in METHODS:
        for params in space.rows(propose_all(space, method, 300, 0)):
            assert space.contains(params)
            Mixed(**params)


def test_visits_each_distinct_set_once() -> None:
    for cls in (Cross, Mixed):
        columns = propose_all(
            Space(cls, search={"n": (5, 20, 5)} if cls is Mixed else {"fast": (5, 12)}), "random", 3000, 0
        )
        rows, place = visits(columns)
        every = sets(columns)
        chosen = [every[i] for i in rows]
        assert len(set(chosen)) == len(chosen) == len(set(every))
        assert [chosen[k] for k in place] == every
        first = {}
        for i, values in enumerate(every):
            first.setdefault(values, i)
        assert sorted(rows.tolist()) == sorted(first.values())


def test_neighbours_are_visited_together() -> None:
    """A cache of 64 columns serves three quarters of the requests, in the order of proposal hardly any."""

    def misses(order: Any, columns: dict[str, Any]) -> int:
        held: dict[int, None] = {}
        missed = 0
        for i in order:
            for column in columns.values():
                period = int(column[i])
                if period in held:
                    del held[period]
                else:
                    missed += 1
                held[period] = None
                if len(held) > 64:
                    del held[next(iter(held))]
        return missed

    columns = propose_all(Space(Cross), "sobol", 10_000, 0)
    rows, _ = visits(columns)
    assert misses(rows, columns) < 0.25 * misses(range(10_000), columns)


def test_many_parameters_still_have_an_order() -> None:
    wide: type[Strategy] = type("Wide", (Strategy,), {f"p{k}": Int(5, 1, 1000) for k in range(20)})
    columns = propose_all(Space(wide), "sobol", 500, 0)
    rows, place = visits(columns)
    assert sorted(rows.tolist()) == list(range(500))
    assert [rows[k] for k in place] == list(range(500))
