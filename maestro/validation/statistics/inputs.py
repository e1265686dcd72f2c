"""Valid inputs of the statistics: finite returns above -100 % that vary."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.errors import SettingsError
from maestro.typing import FloatArray


def numeric_returns(given: Any, name: str = "returns") -> FloatArray:
    """Return finite float64 values of any shape.

    Raises
    ------
    SettingsError
        Values that are not numbers, masked, NaN or infinite; the message names the first place.
    """
    if isinstance(given, np.ma.MaskedArray):
        raise SettingsError(f"{name} are a masked array; leave the masked rows out, or fill them.")
    try:
        values = np.ascontiguousarray(given, np.float64).reshape(np.shape(given))
    except (TypeError, ValueError):
        raise SettingsError(f"{name} do not hold numbers only; give an array of floats.") from None
    if not np.isfinite(values).all():
        place = ", ".join(str(index) for index in np.argwhere(~np.isfinite(values))[0])
        raise SettingsError(f"{name}[{place}] is {values[~np.isfinite(values)][0]}; give finite numbers.")
    return values


def refuse_total_loss(values: FloatArray, name: str = "returns") -> None:
    """Refuse returns of -100 % or less, after which no equity is left to compound.

    Raises
    ------
    SettingsError
    """
    if values.size and values.min() <= -1.0:
        place = ", ".join(str(index) for index in np.argwhere(values <= -1.0)[0])
        raise SettingsError(
            f"{name}[{place}] is {values[values <= -1.0][0]:g}, a loss of everything; give fractions above -1, "
            "like 0.01 for 1 %."
        )


def refuse_constant(table: FloatArray, what: str) -> None:
    """Refuse returns in which no column varies: nothing was traded, and nothing can be tested.

    Raises
    ------
    SettingsError
    """
    if (np.ptp(table, axis=0) <= 1e-14 * np.maximum(np.abs(table).max(axis=0), 1.0)).all():
        raise SettingsError(f"no column of {what} varies, so there is nothing to test; were any trades made?")
