"""Which options may a choice have, and is each read back as itself from a table, from JSON and from a text?"""

from __future__ import annotations

import json
import math
from enum import Enum, IntEnum, StrEnum
from functools import partial
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import ParameterError


class Color(Enum):
    RED = 1
    BLUE = (2, 3)


class Word(StrEnum):
    A = "a"
    B = "b"


class Number(IntEnum):
    ONE = 1
    TWO = 2


def double(values: Any) -> Any:
    return 2 * values


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Named({self.name})"


OPTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "words": (("sma", "ema"), ("sma", "ema")),
    "whole numbers": ((1, 2, 3), (1, 2, 3)),
    "numbers of both kinds": ((1, 1.5, 2), (1.0, 1.5, 2.0)),
    "a range": (range(1, 4), (1, 2, 3)),
    "an array": (np.array([1.5, 2.0]), (1.5, 2.0)),
    "booleans": ((True, False), (True, False)),
    "False and numbers": ((False, 0.05, 0.1), ("False", "0.05", "0.1")),
    "None and words": ((None, "sma"), ("None", "sma")),
    "tuples": (((5, 20), (8,)), ("(5, 20)", "(8,)")),
    "lists": (([5, 20], [8]), ("[5, 20]", "[8]")),
    "nested": ((((1, None), "x"), ((2, "a'b"), "y")), ("((1, None), 'x')", "((2, \"a'b\"), 'y')")),
    "an enumeration": (Color, ("Color.RED", "Color.BLUE")),
    "an enumeration of words": ((Word.A, Word.B), ("Word.A", "Word.B")),
    "an enumeration of numbers": ((Number.ONE, Number.TWO), ("Number.ONE", "Number.TWO")),
    "functions": ((double, len), ("double", "len")),
    "partial functions": ((partial(double, 2), partial(double, values=3)), ("double(2)", "double(values=3)")),
    "compiled functions": ((ms.indicators.sma, ms.indicators.ema), ("sma", "ema")),
    "objects with a text": ((Named("a"), Named("b")), ("Named(a)", "Named(b)")),
    "dictionaries": (({"a": 1}, {"a": 2, "b": [3]}), ("{'a': 1}", "{'a': 2, 'b': [3]}")),
    "sets": ((frozenset("ba"), frozenset("c")), ("{'a', 'b'}", "{'c'}")),
    "infinity": ((1.0, math.inf), ("1.0", "inf")),
    "large numbers": ((2**60, 1), ("1152921504606846976", "1")),
    "awkward words": (("a,b", "", "<b>", "c:d", " "), ("a,b", "", "<b>", "c:d", " ")),
    "one": (("only",), ("only",)),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_read_back_as_itself(name: str) -> None:
    given, cells = OPTIONS[name]
    choice = ms.Choice(next(iter(given)), given)
    assert choice.cells == cells
    assert len({type(cell) for cell in choice.cells}) == 1, "one column type"
    for option, cell in zip(choice.options, cells, strict=True):
        assert choice.check("x", option) is option
        assert choice.check("x", choice.cell(option)) is option
        assert choice.cell(option) == cell
        assert choice.check("x", json.loads(json.dumps(choice.written(option), allow_nan=False))) is option
        assert isinstance(cell, float) or choice.check("x", str(cell)) is option


def test_values_that_mean_an_option_become_it() -> None:
    numbers = ms.Choice(2, (1, 2.5, 2))
    assert [type(numbers.check("x", value)) for value in (np.int64(1), 1.0, "1", 2.5)] == [int, int, int, float]
    assert ms.Choice((5, 20), ((5, 20),)).check("x", [5, 20]) == (5, 20), "JSON knows no tuples"
    assert ms.Choice(2.0, (1, 2)).default == 2
    assert type(ms.Choice(2.0, (1, 2)).default) is int
    assert ms.Choice(partial(double, 2), (partial(double, 2), partial(double, 3))).default.args == (2,)


@pytest.mark.parametrize(
    ("options", "value"), [((1, 2), True), ((True, False), 1), (("a", "b"), None), ((1, 2), "one"), ((None, "a"), 0)]
)
def test_values_that_mean_no_option_are_refused(options: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(ParameterError, match=r"x=.* is not an option; allowed: one of .*, default "):
        ms.Choice(options[0], options).check("x", value)


@pytest.mark.parametrize(
    ("default", "options", "words"),
    [
        ("a", (), "a choice without options"),
        ("a", "ab", "the options 'ab' are not a sequence; give a tuple"),
        ("a", {"a", "b"}, "not a sequence; a set has no order"),
        ("a", 3, "the options 3 are not a sequence"),
        ("a", ("a", "b", "a"), "the options 'a' and 'a' are equal; name each option once"),
        (1, (1, True), "the options 1 and True are equal"),
        (1, (1, 1.0), r"the options 1 and 1.0 are equal"),
        (0, (0, False), "the options 0 and False are equal"),
        (Number.ONE, (Number.ONE, 1), "are equal"),
        (1, (1, "1"), "the options 1 and '1' have the same text '1'"),
        (None, (None, "None"), "the options None and 'None' have the same text 'None'"),
        (1.0, (1.0, math.nan), "NaN is an option that equals nothing"),
        ("z", ("a", "b"), "the default 'z' is not an option; allowed: 'a', 'b'"),
        (True, (1, 2), "the default True is not an option"),
        (object, (object(), object()), "has no text of its own to be written down by; give it a __repr__"),
        (None, (np.zeros(3), np.ones(3)), "cannot be compared by =="),
        (None, (lambda p: 1, lambda p: 2), "have the same text '<lambda>'"),
    ],
)
def test_ambiguous_options_are_refused(default: Any, options: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ms.Choice(default, options)


@pytest.mark.parametrize("default", [1, 0, "yes", None])
def test_a_bool_has_a_boolean_default(default: Any) -> None:
    with pytest.raises(ParameterError, match=f"a Bool with default {default!r}; give True or False"):
        ms.Bool(default)
