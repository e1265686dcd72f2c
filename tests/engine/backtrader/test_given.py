"""Levels of given signals: fractions, distances and absolute levels, on either side of the fill."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.engine.libraries import library

library("backtrader", "legacy")


@pytest.mark.parametrize(
    ("unit", "value", "sign", "level"),
    [("fraction", 0.1, -1, 90.0), ("fraction", 0.1, 1, 110.0), ("price", 5.0, -1, 95.0), ("level", 80.0, -1, 80.0)],
)
def test_a_level_in_each_unit(unit: str, value: float, sign: int, level: float) -> None:
    from maestro.engine.backtrader.given import Given

    assert Given.level(np.array([math.nan, value]), unit, 1, 100.0, sign) == pytest.approx(level)


def test_without_values_there_is_no_level() -> None:
    from maestro.engine.backtrader.given import Given

    assert math.isnan(Given.level(None, "fraction", 0, 100.0, 1))
