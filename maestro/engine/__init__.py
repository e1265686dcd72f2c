"""Simulation: what happens inside a bar, in one compiled pass."""

from maestro.engine.backtest import backtest, resolve
from maestro.engine.costs import Costs
from maestro.engine.result import Backtest
from maestro.engine.settings import SimulationSettings
from maestro.engine.simulator import Simulator
from maestro.engine.sizing import Sizing

__all__ = ["Backtest", "Costs", "SimulationSettings", "Simulator", "Sizing", "backtest", "resolve"]
