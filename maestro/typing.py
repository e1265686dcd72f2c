"""Type aliases shared by the whole package."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

Fill: TypeAlias = Literal["next_open", "close"]
Unit: TypeAlias = Literal["fraction", "price", "level"]
ParameterValue: TypeAlias = int | float | bool | str
Parameters: TypeAlias = dict[str, Any]
