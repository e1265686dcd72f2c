"""The values of one searched parameter: range, scale, codes, and ranges that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maestro.errors import MaestroError
from maestro.search.dimensions import Dimension, dimension
from maestro.strategies.parameters import Bool, Choice, Float, Int, Parameter

INT, REAL = Int(20, 5, 65, step=5), Float(0.5, 0.1, 0.9)
LOG = Float(-1e-4, -1e-2, -1e-6, log=True)
MODE = Choice("a", ("a", "b", "c"))


@pytest.mark.parametrize(
    ("declared", "size", "low", "high"),
    [(INT, 13, 5, 65), (REAL, None, 0.1, 0.9), (LOG, None, 1e-6, 1e-2), (MODE, 3, 0, 2), (Bool(True), 2, 0, 1)],
)
def test_the_codes_of_a_range(declared: Parameter, size: int | None, low: float, high: float) -> None:
    found = dimension("x", declared)
    assert found.size == size
    assert (found.code_low, found.code_high) == (low, high)


@pytest.mark.parametrize(
    ("declared", "value", "code"), [(INT, 25, 25.0), (LOG, -1e-3, 1e-3), (MODE, "c", 2.0), (Bool(True), True, 1.0)]
)
def test_a_value_goes_to_its_code_and_back(declared: Parameter, value: Any, code: float) -> None:
    found = dimension("x", declared)
    assert found.encode(value) == code
    assert found.decode(code) == value
    assert type(found.decode(code)) is type(value)
    assert found.contains(value)


def test_what_a_search_cannot_come_upon() -> None:
    assert not dimension("x", INT).contains(26)
    assert not dimension("x", INT).contains(70)
    assert not dimension("x", MODE).contains("d")
    assert dimension("x", REAL).contains(0.123456)


def test_the_unit_interval_covers_the_values_evenly() -> None:
    points = (np.arange(1300) + 0.5) / 1300
    values, counts = np.unique(dimension("x", INT).from_unit(points), return_counts=True)
    assert values.tolist() == list(range(5, 70, 5))
    assert set(counts.tolist()) == {100}
    found = dimension("x", LOG).from_unit(np.array([0.0, 0.5]))
    np.testing.assert_allclose(found, [-1e-6, -1e-4], rtol=1e-12)


def test_levels_have_both_ends() -> None:
    assert dimension("x", INT).levels(3).tolist() == [5, 35, 65]
    assert dimension("x", REAL).levels(2).tolist() == [0.1, 0.9]
    np.testing.assert_allclose(dimension("x", LOG).levels(3), [-1e-6, -1e-4, -1e-2], rtol=1e-12)
    assert dimension("x", MODE).levels(9).tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("given", "low", "high", "step"),
    [((10, 40), 10, 40, 5), ((10, 40, 10), 10, 40, 10), (range(10, 31, 10), 10, 30, 10), ({"high": 40}, 5, 40, 5),
     ((10, 44, 10), 10, 40, 10)],
)  # fmt: skip
def test_a_range_in_each_form(given: Any, low: int, high: int, step: int) -> None:
    found = dimension("x", INT, given)
    assert (found.low, found.high, found.step) == (low, high, step)
    assert Dimension.from_dict("x", found.to_dict()) == found


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        (INT, (40, 10), "range .40..10. is empty; give the lower end first"),
        (INT, (10, 40, 100), "the step must be above 0 and within the range"),
        (INT, (10, 40, 2.5), "step 2.5 of a whole number must be a whole number"),
        (REAL, {"low": 0.2, "step": 0.1, "log": True}, "step 0.1 and log exclude each other"),
        (Float(0.0, -1.0, 1.0), {"log": True}, "cannot be searched on a log scale"),
        (INT, "fast", "is not something to search; give .low, high."),
        (INT, (1, 2, 3, 4), r"give \(low, high\) or \(low, high, step\)"),
        (INT, {"lwo": 3}, "unknown key 'lwo'.*Did you mean 'low'"),
        (REAL, (0.2, float("nan")), "is not finite"),
        (MODE, ["a", "a"], "are none or repeated; name each once"),
        (MODE, ["d"], "'d'"),
        (INT, MODE, "x"),
        (INT, Bool(True), "x"),
    ],
)
def test_what_is_not_a_range_is_refused(declared: Parameter, given: Any, message: str) -> None:
    with pytest.raises(MaestroError, match=message):
        dimension("x", declared, given)
