"""The values of one searched parameter: their range, their scale, and the number that stands for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.errors import ParameterError, SettingsError, nearest
from maestro.strategies.options import find, written
from maestro.strategies.parameters import Bool, Choice, Float, Int, Parameter
from maestro.typing import FloatArray

_RANGE_KEYS = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Dimension:
    """One searched parameter.

    Samplers see a value as a *code*, a float64: of a number the number itself (its magnitude if a negative range is
    searched on a log scale), of an option its position.

    Attributes
    ----------
    name : str
    kind : {"int", "float", "bool", "choice"}
    low, high : float
        Bounds of the values, both included; `high` lies on the grid of `step`. Of options: 0 and their number - 1.
    step : float or None
        Distance of neighbouring values; None for real numbers without a grid.
    log : bool
        Searched on a log scale of the magnitude.
    options : tuple
        The options of a bool or a choice, else empty.
    """

    name: str
    kind: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    options: tuple[Any, ...] = ()

    @property
    def negative(self) -> bool:
        """Whether codes are magnitudes of negative values."""
        return self.log and self.high < 0

    @property
    def code_low(self) -> float:
        """Smallest code."""
        return -self.high if self.negative else self.low

    @property
    def code_high(self) -> float:
        """Largest code."""
        return -self.low if self.negative else self.high

    @property
    def size(self) -> int | None:
        """Number of distinct values, None without a grid."""
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    def encode(self, value: Any) -> float:
        """Code of a value."""
        if self.options:
            return float(self.place(value))
        return -float(value) if self.negative else float(value)

    def place(self, value: Any) -> int:
        """Position of an option."""
        for k, option in enumerate(self.options):
            if value is option or (type(value) is type(option) and value == option):
                return k
        raise ValueError(f"{self.name}={value!r} is not an option")

    def decode(self, code: float) -> Any:
        """Value of a code, as a plain Python object."""
        if self.options:
            return self.options[int(code)]
        value = -code if self.negative else code
        return int(value) if self.kind == "int" else float(value)

    def contains(self, value: Any) -> bool:
        """Whether a search over this dimension can come upon the value."""
        if self.options:
            return find(self.options, value) is not None
        if not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return abs(steps - round(steps)) < 1e-8

    def from_unit(self, points: FloatArray) -> NDArray[Any]:
        """Values at points of [0, 1): uniform over the values, on the scale of the search."""
        low, high = self.code_low, self.code_high
        if self.kind == "int" and self.log:
            a, b = math.log(low - 0.5), math.log(high + 0.5)
            return self._values(np.clip(np.rint(np.exp(a + points * (b - a))), low, high))
        if self.step is not None:
            assert self.size is not None
            return self._on_grid(np.floor(points * self.size))
        if self.log:
            a, b = math.log(low), math.log(high)
            return self._values(np.clip(np.exp(a + points * (b - a)), low, high))
        return self._values(low + points * (high - low))

    def levels(self, n: int) -> NDArray[Any]:
        """At most `n` values spread evenly over the scale of the search, the ends among them from two on."""
        places = np.linspace(0.0, 1.0, n) if n > 1 else np.array([0.5])
        low, high = self.code_low, self.code_high
        if self.log:
            codes = np.exp(math.log(low) + places * (math.log(high) - math.log(low)))
            codes[places == 0.0], codes[places == 1.0] = low, high
            return self._values(np.unique(np.rint(codes)) if self.kind == "int" else codes)
        if self.step is not None:
            assert self.size is not None
            return self._on_grid(np.unique(np.rint(places * (self.size - 1))))
        return self._values(low + places * (high - low))

    def _on_grid(self, steps: FloatArray) -> NDArray[Any]:
        assert self.step is not None
        return self._values(np.minimum(self.low + steps * self.step, self.high))

    def _values(self, codes: FloatArray) -> NDArray[Any]:
        if self.kind == "bool":
            return np.array(self.options, np.bool_)[codes.astype(np.int64)]
        if self.options:
            options = np.empty(len(self.options), object)
            options[:] = self.options
            return options[codes.astype(np.int64)]
        values = -codes if self.negative else codes
        return np.rint(values).astype(np.int64) if self.kind == "int" else values

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` and `dimension` take it back."""
        if self.options:
            return {"kind": self.kind, "options": [written(option) for option in self.options]}
        number = int if self.kind == "int" else float
        step = None if self.step is None else number(self.step)
        return {"kind": self.kind, "low": number(self.low), "high": number(self.high), "step": step, "log": self.log}

    @classmethod
    def from_dict(cls, name: str, form: Mapping[str, Any]) -> Dimension:
        """Read the JSON form."""
        if form.get("options"):
            return cls(name, form["kind"], 0.0, len(form["options"]) - 1.0, 1.0, options=tuple(form["options"]))
        step = None if form["step"] is None else float(form["step"])
        return cls(name, form["kind"], float(form["low"]), float(form["high"]), step, form["log"])


def dimension(name: str, declared: Parameter, given: Any = None) -> Dimension:
    """Search dimension of a declared parameter, over its own range or over the one `given`.

    Parameters
    ----------
    declared : Parameter
        Decides what the rule can take; ends and options outside it are refused.
    given : optional
        ``(low, high)`` or ``(low, high, step)`` of a number, a sequence of options of a choice or a bool,
        a dictionary with any of low, high, step, log, options, or a parameter object in place of the declared one.

    Raises
    ------
    SettingsError
        A range that is empty, or not a range.
    ParameterError
        An end or an option that the rule cannot take.
    """
    asked = _asked(name, declared, declared if given is None else given)
    if isinstance(asked, tuple):
        options = tuple(declared.check(name, option) for option in asked)
        if not options or any(find(options[:k], option) is not None for k, option in enumerate(options)):
            raise SettingsError(f"{name}: the options {list(asked)!r} are none or repeated; name each once.")
        kind = "bool" if isinstance(declared, Bool) else "choice"
        return Dimension(name, kind, 0.0, len(options) - 1.0, 1.0, options=options)
    low, high, step, log = declared.check(name, asked.low), declared.check(name, asked.high), asked.step, asked.log
    kind = "int" if isinstance(declared, Int) else "float"
    shown = f"{name}: range [{low:g}..{high:g}]"
    if low > high:
        raise SettingsError(f"{shown} is empty; give the lower end first.")
    if log and low <= 0 <= high:
        raise SettingsError(f"{shown} cannot be searched on a log scale; both ends must be of one sign and not zero.")
    if step is not None and not 0 < step <= max(high - low, 1 if kind == "int" else step):
        raise SettingsError(f"{shown} with step {step:g}: the step must be above 0 and within the range.")
    if step is not None and kind == "int" and step != int(step):
        raise SettingsError(f"{name}: step {step:g} of a whole number must be a whole number.")
    if log and step is not None and (kind == "float" or step != 1):
        raise SettingsError(f"{name}: step {step:g} and log exclude each other; drop one of them.")
    if step is not None:  # the last value on the grid, in decimals: 0.3 / 0.1 is 2 in binary
        exact = Decimal(str(step))
        high = float((Decimal(str(high)) - Decimal(str(low))) // exact * exact + Decimal(str(low)))
    return Dimension(name, kind, float(low), float(high), None if step is None else float(step), log)


@dataclass(frozen=True)
class _Range:
    low: Any
    high: Any
    step: Any
    log: bool


def _asked(name: str, declared: Parameter, given: Any) -> _Range | tuple[Any, ...]:
    """Range of a number, or options, out of one of the forms in which they are given."""
    numeric = isinstance(declared, (Int, Float))
    if isinstance(given, Bool):
        return (False, True)
    if isinstance(given, Choice):
        return tuple(given.options)
    if isinstance(given, (Int, Float)) and numeric:
        step = None if isinstance(given, Int) and given.log else given.step
        return _range(name, declared, given.low, given.high, step, given.log)
    if isinstance(given, Parameter):
        raise SettingsError(
            f"{name}: a {type(given).__name__} cannot stand for a {type(declared).__name__}; use a range of "
            f"{declared.describe()}."
        )
    if isinstance(given, Mapping):
        return _from_mapping(name, declared, given)
    if isinstance(given, str) or not isinstance(given, (Sequence, range)):
        raise SettingsError(
            f"{name}={given!r} is not something to search; give "
            + ("(low, high) or (low, high, step)" if numeric else "a list of options")
            + ", or fix the parameter to one value instead."
        )
    if not numeric:
        return tuple(given)
    if isinstance(given, range):
        given = (given.start, given[-1] if len(given) else given.stop - 1, abs(given.step))
    if len(given) not in (2, 3):
        raise SettingsError(
            f"{name}={tuple(given)!r} is no range; give (low, high) or (low, high, step), or "
            'ms.Choice or {"options": […]} for a list of values.'
        )
    return _range(name, declared, given[0], given[1], given[2] if len(given) == 3 else None, None)


def _from_mapping(name: str, declared: Parameter, given: Mapping[str, Any]) -> _Range | tuple[Any, ...]:
    numeric = isinstance(declared, (Int, Float))
    known = (*_RANGE_KEYS, "options") if numeric else ("options",)
    for key in given:
        if key not in (*known, "kind"):
            raise SettingsError(f"{name}: unknown key {key!r}; allowed: {', '.join(known)}." + nearest(key, known))
    if "options" in given:
        return tuple(given["options"])
    if not isinstance(declared, (Int, Float)):
        return _asked(name, declared, declared)
    low, high, step = given.get("low", declared.low), given.get("high", declared.high), given.get("step")
    return _range(name, declared, low, high, step, given.get("log"))


def _range(name: str, declared: Parameter, low: Any, high: Any, step: Any, log: bool | None) -> _Range:
    """Ends, step and scale, those not given as declared; a given step means no log scale unless that is given."""
    assert isinstance(declared, (Int, Float))
    for number in (low, high, *(() if step is None else (step,))):
        if isinstance(number, (bool, str)) or not isinstance(number, (int, float, np.integer, np.floating)):
            raise ParameterError(f"{name}: {number!r} in its range is not a number; allowed: {declared.describe()}.")
        if not math.isfinite(number):
            raise ParameterError(f"{name}: {number!r} in its range is not finite; allowed: {declared.describe()}.")
    if log is None:
        log = declared.log and step is None
    if step is None:
        step = declared.step if not log else 1 if isinstance(declared, Int) else None
    return _Range(low, high, step, bool(log))
