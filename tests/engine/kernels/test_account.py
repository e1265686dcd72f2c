"""The size of an entry by hand, and books that are kept only where there is one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maestro.engine.kernels import account as ac
from maestro.engine.sizing import CASH, PERCENT, UNITS, VOLATILITY
from maestro.typing import FloatArray

CLOSE = 100.0 * 1.01 ** np.arange(40)


def settings(kind: int, value: float, limit: float = 1.0) -> FloatArray:
    found = np.zeros(11)
    found[[ac.FEE, ac.SIZE_KIND, ac.SIZE_VALUE, ac.MAX_EXPOSURE, ac.PERIODS]] = 0.001, kind, value, limit, 365.0
    return found


@pytest.mark.parametrize(
    ("kind", "value", "limit", "units", "cut"),
    [
        (PERCENT, 0.5, 1.0, 0.5 * 1e5 / 100.1, False),
        (CASH, 30_000.0, 1.0, 30_000 / 100.1, False),
        (CASH, 150_000.0, 1.0, 1e5 / 100.1, True),
        (UNITS, 7.0, 1.0, 7.0, False),
        (UNITS, 5_000.0, 2.0, 2e5 / 100.1, True),
    ],
)
def test_the_units_of_an_entry(kind: int, value: float, limit: float, units: float, cut: bool) -> None:
    found = ac.entry_units(settings(kind, value, limit), 1e5, 100.0, CLOSE, 39)
    assert found[0] == pytest.approx(units, rel=1e-14)
    assert found[1] is cut


def test_without_equity_there_is_no_entry() -> None:
    assert ac.entry_units(settings(PERCENT, 1.0), 0.0, 100.0, CLOSE, 39) == (0.0, False)


def test_volatility_sizing_needs_thirty_returns_and_some_movement() -> None:
    moving = CLOSE * (1 + 0.01 * (np.arange(40) % 2))
    returns = moving[10:40] / moving[9:39] - 1
    annual = returns.std(ddof=1) * math.sqrt(365)
    assert ac.volatility_share(moving, 39, 0.4, 365.0) == pytest.approx(0.4 / annual, rel=1e-12)
    assert ac.volatility_share(moving, 29, 0.4, 365.0) == 0.0
    assert ac.volatility_share(np.full(40, 5.0), 39, 0.4, 365.0) == math.inf
    found = ac.entry_units(settings(VOLATILITY, 0.4, 1.0), 1e5, 100.0, np.full(40, 5.0), 39)
    assert found[0] == pytest.approx(1e5 / 100.1)  # at most the largest exposure


def test_a_row_beyond_the_book_is_not_written() -> None:
    orders = np.zeros((1, ac.ORDER_WIDTH))
    ac.write_order(orders, 0, 3, -1, 2.0, 50.0, 0.1)
    ac.write_order(orders, 1, 9, 1, 9.0, 9.0, 9.0)
    assert orders.tolist() == [[3.0, -1.0, 2.0, 50.0, 0.1]]
