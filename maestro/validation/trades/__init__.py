"""Statistics of the closed trades of a result: Monte Carlo of their order, concentration of profit, random entries."""

from maestro.validation.trades.account import AccountTrades, account_trades
from maestro.validation.trades.concentration import Concentration, concentration
from maestro.validation.trades.monte_carlo import MonteCarlo, monte_carlo
from maestro.validation.trades.random_entries import RandomEntries, random_entries

__all__ = [
    "AccountTrades",
    "Concentration",
    "MonteCarlo",
    "RandomEntries",
    "account_trades",
    "concentration",
    "monte_carlo",
    "random_entries",
]
