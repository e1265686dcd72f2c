"""Do texts of the command line mean the options of a choice, whatever they are?"""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.cli.parsing import read_params, read_space
from maestro.errors import ParameterError
from tests.strategies.test_options import OPTIONS, Color


class Chosen(ms.Strategy):
    pair = ms.Choice((5, 20), ((5, 20), (8, 40), "a,b"))
    color = ms.Choice(Color.RED, Color)
    mode = ms.Choice(None, (None, "sma:fast", "ema"))
    stop = ms.Choice(False, (False, 0.05, 0.1))
    n = ms.Choice(1, (1, 1.5, 2))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_text_of_every_option_is_understood(name: str) -> None:
    given, cells = OPTIONS[name]
    choice = ms.Choice(next(iter(given)), given)
    cls: Any = type("One", (ms.Strategy,), {"x": choice})
    for option, cell in zip(choice.options, cells, strict=True):
        if str(cell).strip():
            assert read_params(cls, [f"x={cell}"]) == {"x": option}
    if all(str(cell).strip() for cell in cells):
        assert read_space(cls, [f"x={','.join(map(str, cells))}"], {}) == {"x": list(choice.options)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pair=(8,40)", (8, 40)), ("pair=[8, 40]", (8, 40)), ("pair=a,b", "a,b"), ("color=Color.BLUE", Color.BLUE),
        ("mode=None", None), ("mode=sma:fast", "sma:fast"), ("stop=0.050", 0.05), ("stop=False", False), ("n=2.0", 2),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    found = read_params(Chosen, [text])[text.partition("=")[0]]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("pair=(8, 40), (5,20)", [(8, 40), (5, 20)]), ("pair=a,b,(5, 20)", ["a,b", (5, 20)]),
        ("mode=sma:fast,None", ["sma:fast", None]), ("n=1,1.50", [1, 1.5]), ("stop=False", [False]),
    ],
)  # fmt: skip
def test_lists_of_options(text: str, options: list[Any]) -> None:
    assert list(read_space(Chosen, [text], {}).values()) == [options]


@pytest.mark.parametrize("text", ["pair=(8, 41)", "color=RED", "mode=sma", "stop=0", "n=True"])
def test_what_means_no_option_is_refused_with_the_options(text: str) -> None:
    for read in (lambda: read_params(Chosen, [text]), lambda: read_space(Chosen, [text], {})):
        with pytest.raises(ParameterError, match="is not an option; allowed: one of"):
            read()
