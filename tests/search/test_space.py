"""Is a space what the strategy declares, the fixed values and the ranges given make it?"""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

from maestro.errors import MaestroError, ParameterError, SettingsError, StrategyError
from maestro.search.dimensions import Dimension
from maestro.search.space import Space
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int, Parameter


class Cross(Strategy):
    fast = Int(50, 5, 100)
    slow = Int(100, 20, 200)
    width = Float(2.0, 1.5, 3.0)
    mode = Choice("a", ("a", "b", "c"))
    both = Bool(True)
    seldom = Int(3, 1, 9, search=False)
    constraints = (
        Constraint("fast < slow", lambda p: p.fast < p.slow),
        Constraint("width < root of slow", lambda p: p.width < math.sqrt(p.slow - 1)),
    )


class Proxied(Strategy):
    """Declarations that depend on a value given."""

    proxy = Bool(False, search=False)
    entry = Float(-3e-5, -5e-4, -5e-6, log=True, minimum=-1.0, maximum=0.0)

    @classmethod
    def parameters(cls, given: dict[str, Any] | None = None) -> dict[str, Parameter]:
        if (given or {}).get("proxy"):
            return {**cls.declared, "entry": Float(-0.01, -0.05, -0.005, minimum=-1.0, maximum=0.0)}
        return cls.declared


def test_declared_parameters_in_order_and_the_rest_fixed() -> None:
    space = Space(Cross)
    assert space.names == ("fast", "slow", "width", "mode", "both")
    assert space.fixed == {"seldom": 3}
    assert space.default == {"fast": 50, "slow": 100, "width": 2.0, "mode": "a", "both": True, "seldom": 3}
    assert list(space.default) == list(Cross.declared)
    assert space.size == math.inf
    assert Space(Cross, fixed={"width": 2.0}).size == 96 * 181 * 3 * 2


def test_ranges_in_every_form() -> None:
    forms: list[Any] = [(5, 20), [5, 20], range(5, 21), {"low": 5, "high": 20}, Int(1, 5, 20), Float(1.0, 5.0, 20.0)]
    for form in forms:
        assert Space(Cross, search={"fast": form}).dimensions[0] == Dimension("fast", "int", 5.0, 20.0, 1.0), form
    stepped = Dimension("fast", "int", 5.0, 50.0, 5.0)
    for form in [(5, 50, 5), (5, 53, 5), range(5, 51, 5), {"low": 5, "high": 50, "step": 5}]:
        assert Space(Cross, search={"fast": form}).dimensions[0] == stepped, form
    options = Space(Cross, search={"fast": Choice(5, (5, 8, 13)), "mode": ["a", "c"], "both": [True, False]})
    assert [d.options for d in options.dimensions if d.options] == [(5, 8, 13), ("a", "c"), (True, False)]
    assert Space(Cross, search={"seldom": (1, 4)}).names[-1] == "seldom"
    grid = Space(Cross, search={"width": (1.5, 2.3, 0.1)}).dimensions[2]
    assert (grid.size, grid.high) == (9, 2.3)
    log = Space(Cross, search={"fast": {"low": 2, "high": 64, "log": True}}).dimensions[0]
    assert log.log
    assert log.size == 63


def test_single_values_are_fixed() -> None:
    space = Space(Cross, search={"fast": (7, 7), "both": [True]})
    assert space.names == ("slow", "width", "mode")
    assert space.fixed == {"fast": 7, "both": True, "seldom": 3}


def test_declarations_may_depend_on_fixed_values() -> None:
    real, proxy = Space(Proxied).dimensions[0], Space(Proxied, fixed={"proxy": True}).dimensions[0]
    assert (real.log, real.negative, proxy.log, proxy.low) == (True, True, False, -0.05)
    assert Space(Proxied, fixed={"proxy": True}).default == {"proxy": True, "entry": -0.01}


@pytest.mark.parametrize(
    ("fixed", "search", "error", "words"),
    [
        ({"fsat": 5}, {}, ParameterError, ["'fsat'", "it has: fast, slow", "Did you mean 'fast'?"]),
        ({}, {"slwo": (20, 30)}, ParameterError, ["'slwo'", "Did you mean 'slow'?"]),
        ({"fast": 5}, {"fast": (5, 20)}, SettingsError, ["fast", "fixed and searched at once", "keep one"]),
        ({"fast": 0}, {}, ParameterError, ["fast=0 is out of bounds"]),
        ({}, {"fast": (20, 5)}, SettingsError, ["fast", "[20..5]", "empty"]),
        ({}, {"fast": (0, 5)}, ParameterError, ["fast=0 is out of bounds"]),
        ({}, {"fast": (5.5, 20)}, ParameterError, ["not a whole number"]),
        ({}, {"fast": (5, "x")}, ParameterError, ["'x'", "not a number"]),
        ({}, {"width": (1.0, math.inf)}, ParameterError, ["not finite"]),
        ({}, {"fast": 5}, SettingsError, ["fast=5", "(low, high)", "fix"]),
        ({}, {"fast": (5,)}, SettingsError, ["(low, high)"]),
        ({}, {"fast": (5, 20, 0)}, SettingsError, ["step 0", "above 0"]),
        ({}, {"fast": (5, 20, 50)}, SettingsError, ["step 50", "within the range"]),
        ({}, {"fast": (5, 20, 1.5)}, SettingsError, ["whole number"]),
        ({}, {"width": {"low": 1.5, "hihg": 2}}, SettingsError, ["'hihg'", "Did you mean 'high'?"]),
        ({}, {"width": {"low": 0.0, "high": 2, "log": True}}, SettingsError, ["log scale", "one sign"]),
        ({}, {"width": {"low": 1.0, "high": 2, "step": 0.5, "log": True}}, SettingsError, ["exclude each other"]),
        ({}, {"mode": ["a", "x"]}, ParameterError, ["mode='x'"]),
        ({}, {"mode": []}, SettingsError, ["none or repeated"]),
        ({}, {"mode": ["a", "a"]}, SettingsError, ["none or repeated"]),
        ({}, {"mode": "a"}, SettingsError, ["list of options"]),
    ],
)
def test_refusals_name_what_came_and_what_to_do(
    fixed: dict[str, Any], search: dict[str, Any], error: type[MaestroError], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        Space(Cross, fixed=fixed, search=search)
    for word in words:
        assert word in str(caught.value)


def test_nothing_to_search() -> None:
    with pytest.raises(SettingsError, match="nothing to search"):
        Space(Cross, fixed={"fast": 5, "slow": 20, "width": 2.0, "mode": "a", "both": True})

    class Bare(Strategy):
        pass

    with pytest.raises(SettingsError, match="no parameters"):
        Space(Bare)


def test_defaults_outside_the_space_are_no_first_trial() -> None:
    assert Space(Cross, search={"fast": (5, 20)}).default is None
    assert Space(Cross, search={"fast": (5, 95, 15)}).default is not None  # 50 is on that grid
    assert Space(Cross, search={"fast": (5, 95, 10)}).default is None
    assert Space(Cross, fixed={"slow": 40}).default is None  # 50 < 40 does not hold


def test_check_takes_partial_sets_and_refuses_foreign_ones() -> None:
    space = Space(Cross, fixed={"mode": "b"})
    inside = {"fast": 10, "slow": 40, "width": 1.5, "both": False}
    assert space.check(inside) == {**inside, "mode": "b", "seldom": 3}
    for change, words in [
        ({"fast": 101}, "outside the searched space: fast=101"),
        ({"mode": "a"}, "mode='a' .fixed: 'b'."),
        ({"fast": 60}, "breaks fast < slow"),
        ({"fats": 1}, "Did you mean 'fast'"),
    ]:
        with pytest.raises(MaestroError, match=words):
            space.check({**inside, **change})
    with pytest.raises(SettingsError, match="lacks slow, width, both"):
        space.check({"fast": 10})


def test_codes_go_there_and_back() -> None:
    dimensions = [*Space(Cross).dimensions, *Space(Proxied).dimensions]
    unit = (np.arange(50) + 0.5) / 50
    for d in dimensions:
        values = d.from_unit(unit).tolist()
        assert [d.decode(d.encode(value)) for value in values] == values
        assert all(d.contains(value) for value in values)
        assert all(d.code_low <= d.encode(value) <= d.code_high for value in values)


def test_unit_interval_covers_every_value_evenly() -> None:
    unit = (np.arange(6000) + 0.5) / 6000
    steps = Space(Cross, search={"fast": (5, 50, 5)}).dimensions[0]
    values, counts = np.unique(steps.from_unit(unit), return_counts=True)
    assert values.tolist() == list(range(5, 51, 5))
    assert set(counts) == {600}
    log = Space(Cross, search={"fast": {"low": 1, "high": 64, "log": True}}).dimensions[0].from_unit(unit)
    assert (log.min(), log.max()) == (1, 64)
    assert abs((log < 8).mean() - math.log(15) / math.log(129)) < 0.001
    entry = Space(Proxied).dimensions[0].from_unit(unit)
    assert (entry < 0).all()
    assert abs((entry > -5e-5).mean() - 0.5) < 0.001


def test_json_form_gives_the_space_again() -> None:
    spaces = [Space(Cross), Space(Cross, {"fast": 9}, {"slow": (20, 60, 4), "mode": ["b", "c"]}), Space(Proxied)]
    for space in spaces:
        form = json.loads(json.dumps(space.to_dict()))
        again = Space(space.strategy, **form)
        assert again.dimensions == space.dimensions
        assert again.fixed == space.fixed
        assert [Dimension.from_dict(name, value) for name, value in form["search"].items()] == list(space.dimensions)


def test_pickles() -> None:
    assert pickle.loads(pickle.dumps(Space(Cross))).dimensions == Space(Cross).dimensions


# -- constraints -----------------------------------------------------------------------------


def columns_of(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    space = Space(Cross)
    return {d.name: d.from_unit(rng.random(n)) for d in space.dimensions}


def with_rule(holds: Any) -> Space:
    cls: type[Strategy] = type("Ruled", (Cross,), {"constraints": (Constraint("the rule", holds),)})
    return Space(cls)


@pytest.mark.parametrize(
    "holds",
    [
        lambda p: p.fast < p.slow,
        lambda p: p["fast"] * 2 < p.slow,
        lambda p: p.fast < p.slow < 3 * p.fast,
        lambda p: p.fast < p.slow and p.width > 2,
        lambda p: max(p.fast, p.slow) < 150,
        lambda p: p.mode != "a",
        lambda p: p.mode in ("a", "b"),
        lambda p: not p.both or p.fast > 20,
        lambda p: p.width < math.sqrt(p.slow - 1) / 4,
        lambda p: p.seldom < 5,
        lambda p: 1 / (p.fast - 50.5) > 0,
        lambda p: p.fast % 7,
        lambda p: True,
    ],
)
@pytest.mark.parametrize("n", [1, 20, 3000])
def test_mask_is_the_rule_row_by_row(holds: Any, n: int) -> None:
    space, columns = with_rule(holds), columns_of(n)
    expected = [space.feasible(params) for params in space.rows(columns)]
    assert space.feasible_mask(columns).tolist() == expected


def test_whole_columns_are_asked_once() -> None:
    calls = []

    def holds(p: Any) -> Any:
        calls.append(p)
        return p.fast < p.slow

    with_rule(holds).feasible_mask(columns_of(10_000))
    assert len(calls) < 50


def test_a_rule_that_answers_arrays_otherwise_is_asked_row_by_row() -> None:
    def holds(p: Any) -> Any:
        return p.fast < p.slow if isinstance(p.fast, int) else p.fast > p.slow

    space, columns = with_rule(holds), columns_of(500)
    assert space.feasible_mask(columns).tolist() == (columns["fast"] < columns["slow"]).tolist()


def test_a_rule_that_fails_is_named() -> None:
    space = with_rule(lambda p: p.nothing < 1)
    with pytest.raises(StrategyError, match=r"'the rule' of Ruled failed for fast=.*AttributeError: nothing"):
        space.feasible_mask(columns_of(100))


def test_rows_are_complete_plain_python() -> None:
    space = Space(Cross)
    row = next(space.rows(columns_of(3)))
    assert list(row) == list(Cross.declared)
    assert [type(v) for v in row.values()] == [int, int, float, str, bool, int]
    Cross(**{**row, "fast": 10, "slow": 100})
    again = space.columns(list(space.rows(columns_of(40))))
    for name, column in columns_of(40).items():
        np.testing.assert_array_equal(again[name], column)
        assert again[name].dtype == column.dtype
