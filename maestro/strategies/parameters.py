"""What a strategy declares of a parameter: type, default, bounds, scale and doc.

Every form, command-line flag and search space is derived from these declarations.
`low` and `high` bound the *search*; `minimum` and `maximum` are what the rule can take at all. A declaration
that contradicts itself is refused where it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from maestro.errors import ParameterError
from maestro.strategies.options import cells, checked_options, find, written


class Params(dict[str, Any]):
    """Parameter values of one strategy, by name and as attributes: ``p["fast"]``, ``p.fast``."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Parameter:
    """Base of the parameter kinds; a class attribute of a strategy, shadowed by the value on instances."""

    default: Any
    doc: str = field(default="", kw_only=True)
    search: bool = field(default=True, kw_only=True)
    """Whether an optimiser may vary it."""
    kind = "any"

    if TYPE_CHECKING:

        def __get__(self, instance: object, owner: type) -> Any:
            """On an instance of a strategy stands the value, not the declaration."""

    def check(self, name: str, value: Any) -> Any:
        """Return `value` in the declared type; raise `ParameterError` where that is impossible."""
        raise NotImplementedError

    def describe(self) -> str:
        """Allowed values and default, in words, for messages and help."""
        raise NotImplementedError

    def cell(self, value: Any) -> Any:
        """Return what tables hold for a value that `check` returned; `check` takes it back."""
        return value

    def written(self, value: Any) -> Any:
        """Return the JSON form of a value that `check` returned; `check` takes it back."""
        return value


@dataclass(frozen=True)
class Int(Parameter):
    """A whole number, searched from `low` to `high` (both included) in steps of `step`."""

    low: int
    high: int
    step: int = field(default=1, kw_only=True)
    log: bool = field(default=False, kw_only=True)
    minimum: int | None = field(default=None, kw_only=True)
    """Lowest value the rule can take: 1 unless given, or `low` where that is lower."""
    maximum: int | None = field(default=None, kw_only=True)
    kind = "int"

    def __post_init__(self) -> None:
        if self.minimum is None:
            object.__setattr__(self, "minimum", min(1, self.low))
        _coherent(self, self.step)

    def check(self, name: str, value: Any) -> int:
        kind = type(value)
        if kind is not int:
            if kind is bool or isinstance(value, str):
                raise ParameterError(f"{name}={value!r} is not a whole number; allowed: {self.describe()}.")
            try:
                whole = int(value)
            except (TypeError, ValueError, OverflowError):
                whole = None
            if whole is None or whole != value:
                raise ParameterError(f"{name}={value!r} is not a whole number; allowed: {self.describe()}.")
            value = whole
        if value < self.minimum or (self.maximum is not None and value > self.maximum):  # type: ignore[operator]
            raise ParameterError(f"{name}={value} is out of bounds; allowed: {self.describe()}.")
        return value

    def describe(self) -> str:
        top = "" if self.maximum is None else f" to {self.maximum}"
        return f"whole numbers from {self.minimum}{top}, searched in [{self.low}..{self.high}], default {self.default}"


@dataclass(frozen=True)
class Float(Parameter):
    """A real number, searched in [low, high]; with `log` on a log scale of its magnitude (both of one sign)."""

    low: float
    high: float
    step: float | None = field(default=None, kw_only=True)
    log: bool = field(default=False, kw_only=True)
    minimum: float | None = field(default=None, kw_only=True)
    """Lowest value the rule can take: 0 unless given, or no limit where the search goes below 0."""
    maximum: float = field(default=math.inf, kw_only=True)
    kind = "float"

    def __post_init__(self) -> None:
        if self.minimum is None:
            object.__setattr__(self, "minimum", 0.0 if self.low >= 0 else -math.inf)
        _coherent(self, 1.0 if self.step is None else self.step)
        for name in ("default", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def check(self, name: str, value: Any) -> float:
        kind = type(value)
        if kind is not float:
            if kind is bool or isinstance(value, str):
                raise ParameterError(f"{name}={value!r} is not a number; allowed: {self.describe()}.")
            try:
                value = float(value)
            except (TypeError, ValueError):
                raise ParameterError(f"{name}={value!r} is not a number; allowed: {self.describe()}.") from None
        if not self.minimum <= value <= self.maximum or math.isinf(value):  # type: ignore[operator]
            raise ParameterError(f"{name}={value} is out of bounds; allowed: {self.describe()}.")
        return value

    def describe(self) -> str:
        scale = ", log scale" if self.log else ""
        return (
            f"numbers from {self.minimum:g} to {self.maximum:g}, "
            f"searched in [{self.low:g}..{self.high:g}]{scale}, default {self.default:g}"
        )


def _coherent(parameter: Int | Float, step: float) -> None:
    """Refuse bounds that contradict each other, the default or the scale."""
    low, high, default = parameter.low, parameter.high, parameter.default
    top = math.inf if parameter.maximum is None else parameter.maximum
    if any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in (low, high, default)):
        raise ParameterError(f"{parameter!r}: default, low and high must be numbers.")
    if parameter.kind == "int" and not all(isinstance(x, int) for x in (low, high, default)):
        raise ParameterError(f"{parameter!r}: default, low and high must be whole; use ms.Float for real numbers.")
    if not (parameter.minimum <= low <= high <= top and parameter.minimum <= default <= top):  # type: ignore[operator]
        raise ParameterError(f"{parameter!r}: needs minimum <= low <= high <= maximum, and the default among them.")
    if not step > 0:
        raise ParameterError(f"{parameter!r}: step must be above 0.")
    if parameter.log and not low * high > 0:
        raise ParameterError(f"{parameter!r}: a log scale needs low and high of one sign, and neither 0.")


@dataclass(frozen=True)
class Bool(Parameter):
    """Yes or no."""

    kind = "bool"

    def __post_init__(self) -> None:
        if type(self.default) is not bool:
            raise ParameterError(f"a Bool with default {self.default!r}; give True or False, or use ms.Choice.")

    def check(self, name: str, value: Any) -> bool:
        if type(value).__name__ not in ("bool", "bool_"):
            raise ParameterError(f"{name}={value!r} is neither True nor False; default {self.default}.")
        return bool(value)

    def describe(self) -> str:
        return f"True or False, default {self.default}"


@dataclass(frozen=True)
class Choice(Parameter):
    """One of a few options: words, numbers, None, tuples, members of an enumeration, functions, or a mixture of these.

    Tables, files, texts of the command line and controls show options that are not all words, all numbers or all
    booleans by their text (``None``, ``(5, 20)``, ``Color.RED``), and every value may be given as this text.
    A default of None that is not an option means none: for a range, ``space={"n": ms.Choice(None, (5, 8, 13))}``.
    """

    options: tuple[Any, ...]
    kind = "choice"

    def __post_init__(self) -> None:
        options = checked_options(self.options)
        object.__setattr__(self, "options", options)
        place = find(options, self.default)
        if place is not None:
            object.__setattr__(self, "default", options[place])
        elif self.default is not None:
            raise ParameterError(f"the default {self.default!r} is not an option; allowed: {self._listed()}.")

    @cached_property
    def cells(self) -> tuple[Any, ...]:
        """What tables hold for each option."""
        return cells(self.options)

    def check(self, name: str, value: Any) -> Any:
        place = find(self.options, value)
        if place is None:
            raise ParameterError(f"{name}={value!r} is not an option; allowed: {self.describe()}.")
        return self.options[place]

    def cell(self, value: Any) -> Any:
        return self.cells[self._place(value)]

    def written(self, value: Any) -> Any:
        return written(self.options[self._place(value)])

    def _place(self, value: Any) -> int:
        place = find(self.options, value)
        assert place is not None
        return place

    def describe(self) -> str:
        return f"one of {self._listed()}, default {self.default!r}"

    def _listed(self) -> str:
        return ", ".join(map(repr, self.options))


@dataclass(frozen=True)
class Constraint:
    """A rule between parameters that must hold, e.g. ``Constraint("fast < slow", lambda p: p.fast < p.slow)``."""

    rule: str
    holds: Callable[[Params], bool]
