"""A hook is the function that its name is bound to; every bound name leads to a function that exists."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

import maestro  # noqa: F401  # binds the names
from maestro._core import hooks


@pytest.fixture
def bound() -> Iterator[dict[str, str]]:
    before = dict(hooks._BOUND)
    yield before
    hooks._BOUND.clear()
    hooks._BOUND.update(before)


def test_a_name_gives_its_function(bound: dict[str, str]) -> None:
    hooks.bind({"root": "math:sqrt"})
    assert hooks.hook("root") is math.sqrt
    hooks.bind({"root": "math:cbrt"})
    assert hooks.hook("root") is math.cbrt
    with pytest.raises(KeyError):
        hooks.hook("nothing")


def test_every_bound_name_leads_to_a_function(bound: dict[str, str]) -> None:
    assert bound
    for name in bound:
        assert callable(hooks.hook(name)), name
