"""What an indicator accepts: one-dimensional numbers of one length, and whole periods; all else is refused by name."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from maestro.errors import ParameterError
from maestro.typing import FloatArray

_FLOAT = np.dtype(np.float64)
FAINT = 1e-280
"""Below this, what an average still holds of old values is 0: it decays for ever where prices stand still, and the
processor takes fifty times as long for numbers near 1e-308."""


def series(values: Any, name: str = "values") -> FloatArray:
    """Return `values` as a contiguous read-only float64 array; a copy or view only where it is none yet.

    One array type reaches the compiled code, so that nothing is compiled twice.

    Raises
    ------
    ParameterError
        Not numbers, or not one-dimensional.
    """
    if type(values) is not np.ndarray or values.dtype != _FLOAT or not values.flags.c_contiguous:
        try:
            values = np.ascontiguousarray(values, _FLOAT)
        except (TypeError, ValueError):
            raise ParameterError(
                f"{name} is a {type(values).__name__} that holds no numbers; give a one-dimensional float64 array."
            ) from None
    if values.ndim != 1:
        raise ParameterError(f"{name} has shape {values.shape}; give a one-dimensional array, one value per bar.")
    if values.flags.writeable:
        values = values.view()
        values.flags.writeable = False
    return values  # type: ignore[no-any-return]


def several(**named: Any) -> tuple[FloatArray, ...]:
    """Return arrays as `series` does, refusing different lengths."""
    arrays = tuple(series(values, name) for name, values in named.items())
    if any(a.shape != arrays[0].shape for a in arrays):
        lengths = ", ".join(f"{name} {a.shape[0]}" for name, a in zip(named, arrays, strict=True))
        raise ParameterError(f"series of different lengths ({lengths}); give one value per bar in each.")
    return arrays


def whole(value: Any, name: str = "period", minimum: int = 1) -> int:
    """Return a whole number of bars.

    Raises
    ------
    ParameterError
        Not a whole number, or below `minimum`.
    """
    number = value
    if type(value) is not int:
        try:
            number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
        except TypeError:
            number = None
    if number is None or number < minimum:
        raise ParameterError(f"{name}={value!r} is out of bounds; give a whole number of bars, {minimum} or more.")
    return number  # type: ignore[no-any-return]


def frozen(column: FloatArray) -> FloatArray:
    """Return a fresh column as read-only: one that is kept must not change, and one that is not behaves alike."""
    column.flags.writeable = False
    return column
