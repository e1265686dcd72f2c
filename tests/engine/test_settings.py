"""Simulation settings make the simulator that the same arguments make, and refuse what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.engine import SimulationSettings, Simulator
from maestro.errors import SettingsError

BARS = ms.load_sample("IBM")[:300]


def test_the_simulator_is_that_of_the_same_arguments() -> None:
    costs, sizing = ms.Costs(0.002, 0.001), ms.Sizing.percent(0.5)
    made = SimulationSettings(costs, sizing, 2_000.0, "close").simulator(BARS, (100, 300), close_at_end=True)
    plain = Simulator(
        BARS, costs=costs, sizing=sizing, cash=2_000.0, fill="close", window=(100, 300), close_at_end=True
    )
    signals = ms.strategy("EmaCrossStrategy").evaluate(BARS)
    assert np.array_equal(made.settings, plain.settings)
    assert np.array_equal(made.metrics(signals), plain.metrics(signals), equal_nan=True)
    assert len(made.record(signals).equity) == 200


def test_impossible_settings_and_windows_are_refused() -> None:
    with pytest.raises(SettingsError, match="cash=0"):
        SimulationSettings(ms.Costs(), ms.Sizing.percent(1.0), 0, "next_open").simulator(BARS)
    with pytest.raises(SettingsError, match=r"window 100\.\.301"):
        SimulationSettings(ms.Costs(), ms.Sizing.percent(1.0), 1.0, "next_open").simulator(BARS, (100, 301))
