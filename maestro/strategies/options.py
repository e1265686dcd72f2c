"""The options of a choice: which are allowed, how each is written in tables and JSON, and how it is read back."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from maestro.errors import ParameterError

Cell: TypeAlias = str | int | float | bool
"""What a table holds for an option."""

_PLAIN = (str, bool, int, float, type(None))
_LARGEST = 2**53
"""Whole numbers up to this are exact as real numbers, and in spreadsheets."""


def checked_options(given: Any) -> tuple[Any, ...]:
    """Return options as a tuple, or refuse indistinguishable ones.

    Raises
    ------
    ParameterError
        Not a sequence, no option, equal options, or options without a text of their own.
    """
    if isinstance(given, type) and issubclass(given, Enum):
        given = tuple(given)
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = given.tolist()
    if isinstance(given, (str, bytes)) or not isinstance(given, Sequence):
        hint = "; a set has no order" if isinstance(given, (set, frozenset)) else ""
        raise ParameterError(f"the options {given!r} are not a sequence{hint}; give a tuple, like ('sma', 'ema').")
    options = tuple(option.item() if isinstance(option, np.generic) else option for option in given)
    if not options:
        raise ParameterError("a choice without options; give a tuple of at least one, like ('sma', 'ema').")
    for k, option in enumerate(options):
        if isinstance(option, float) and math.isnan(option):
            raise ParameterError("NaN is an option that equals nothing, itself included; use None or a word for it.")
        for other in options[:k]:
            if _equal(other, option):
                raise ParameterError(f"the options {other!r} and {option!r} are equal; name each option once.")
    texts = [text(option) for option in options]
    for k, one in enumerate(texts):
        if re.search(r" at 0x[0-9a-fA-F]+", one):
            raise ParameterError(
                f"the option {one} has no text of its own to be written down by; give it a __repr__ that does not "
                "depend on where it lies in memory, or use words as options and look the objects up by them."
            )
        if one in texts[:k] and _mixed(options):
            raise ParameterError(
                f"the options {options[texts.index(one)]!r} and {options[k]!r} have the same text {one!r}, so that "
                "tables could not tell them apart; rename one of them."
            )
    return options


def find(options: Sequence[Any], value: Any) -> int | None:
    """Position of the option that a value means: itself, one equal to it, or its text; None if there is none."""
    if isinstance(value, np.generic):
        value = value.item()
    for k, option in enumerate(options):
        if value is option or (type(value) is type(option) and _equal(value, option)):
            return k
    if isinstance(value, str):
        return next((k for k, option in enumerate(options) if text(option) == value), None)
    for k, option in enumerate(options):
        if isinstance(value, bool) == isinstance(option, bool) and _equal(_tuples(value), _tuples(option)):
            return k
    if type(value) in _PLAIN:
        return None
    # Partial functions, and members of an enumeration that came from another process, equal nothing but themselves.
    return next(
        (k for k, option in enumerate(options) if type(option) not in _PLAIN and text(option) == text(value)), None
    )


def cells(options: Sequence[Any]) -> tuple[Cell, ...]:
    """What tables hold for each option: itself if all are texts, all booleans or all numbers, else its text."""
    if _mixed(options):
        return tuple(text(option) for option in options)
    if any(type(option) is float for option in options):
        return tuple(float(option) for option in options)
    return tuple(options)


def written(option: Any) -> Any:
    """JSON form of an option: itself if it is a plain value, else its text."""
    plain = type(option) in _PLAIN and not (isinstance(option, float) and not math.isfinite(option))
    return option if plain else text(option)


def text(option: Any) -> str:
    """Text of an option, the same in every process: ``sma``, ``None``, ``(5, 20)``, ``Color.RED``."""
    return option if type(option) is str else _text(option)


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}" if value.name else repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if type(value) is tuple:
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    if type(value) is list:
        return f"[{', '.join(map(_text, value))}]"
    if type(value) is dict:
        return f"{{{', '.join(f'{_text(k)}: {_text(v)}' for k, v in value.items())}}}"
    if type(value) in (set, frozenset):  # their order changes from process to process
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, functools.partial):
        keywords = [f"{k}={_text(v)}" for k, v in value.keywords.items()]
        return f"{_text(value.func)}({', '.join([*map(_text, value.args), *keywords])})"
    if isinstance(value, (type, FunctionType, BuiltinFunctionType, ModuleType)) or hasattr(value, "py_func"):
        return str(value.__name__)
    return repr(value)


def _mixed(options: Sequence[Any]) -> bool:
    """Whether the options cannot stand in one column of a table as they are."""
    kinds = {type(option) for option in options}
    if kinds <= {int, float}:
        exact = all(abs(option) <= _LARGEST for option in options if type(option) is int)
        return not (exact and all(math.isfinite(option) for option in options))
    return kinds not in ({str}, {bool})


def _equal(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception as error:
        raise ParameterError(
            f"{one!r} and {other!r} cannot be compared by == ({type(error).__name__}: {error}); "
            "use words or tuples as options, and look the objects up by them."
        ) from error


def _tuples(value: Any) -> Any:
    """Lists as tuples, nested ones too: JSON knows no tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
