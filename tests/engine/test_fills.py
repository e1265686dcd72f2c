"""The books of another engine's fills: lots closed first in, first out, fees split by units, funding shared."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.engine.fills import Fill, keep_books
from maestro.engine.kernels import account as ac
from maestro.engine.simulator import Books, Simulator
from maestro.typing import FloatArray

BARS = ms.synthetic_bars(10)


def books(*fills: Fill, payments: tuple[tuple[int, float], ...] = ()) -> tuple[Books, FloatArray]:
    simulator = Simulator(BARS, costs=ms.Costs(0.001, 0.0), sizing=ms.Sizing.units(1.0), cash=1e5)
    return keep_books(simulator, fills, np.full(10, 1e5), np.zeros(10), payments=payments)


def test_one_trade_by_hand() -> None:
    found, metrics = books(Fill(1, 2.0, 100.0, 0.2, "signal"), Fill(4, -2.0, 110.0, 0.22, "target", slipped=False))
    [trade] = found.trades
    assert trade[ac.T_PNL] == pytest.approx(2 * 10 - 0.42)
    assert (trade[ac.T_ENTRY_BAR], trade[ac.T_EXIT_BAR], trade[ac.T_SIZE]) == (1, 4, 2)
    assert ac.REASONS[int(trade[ac.T_REASON])] == "target"
    assert found.orders[:, ac.ORDER_SIDE].tolist() == [1, -1]
    assert metrics[ms.metrics.NAMES.index("num_trades")] == 1


def test_lots_are_closed_first_in_first_out() -> None:
    found, _ = books(
        Fill(0, 1.0, 100.0, 0.0, "signal"), Fill(1, 1.0, 120.0, 0.0, "signal"), Fill(2, -1.5, 130.0, 0.0, "signal")
    )
    closed = [(row[ac.T_ENTRY_PRICE], row[ac.T_SIZE], ac.REASONS[int(row[ac.T_REASON])]) for row in found.trades]
    assert closed == [(100.0, 1.0, "signal"), (120.0, 0.5, "signal"), (120.0, 0.5, "open")]


def test_a_fill_beyond_the_position_reverses_it() -> None:
    found, _ = books(Fill(0, 1.0, 100.0, 0.0, "signal"), Fill(2, -3.0, 90.0, 0.3, "signal"))
    first, second = found.trades
    assert ac.REASONS[int(first[ac.T_REASON])] == "reversal"
    assert first[ac.T_FEES] == pytest.approx(0.1)  # a third of the fee closes, the rest opens
    assert (second[ac.T_SIDE], second[ac.T_SIZE]) == (-1, 2.0)


def test_funding_is_shared_by_the_open_lots() -> None:
    found, metrics = books(
        Fill(0, 1.0, 100.0, 0.0, "signal"), Fill(1, 3.0, 100.0, 0.0, "signal"), Fill(5, -4.0, 100.0, 0.0, "signal"),
        payments=((3, 8.0),),
    )  # fmt: skip
    assert found.trades[:, ac.T_FUNDING].tolist() == [2.0, 6.0]
    assert metrics[ms.metrics.NAMES.index("funding")] == 8.0
