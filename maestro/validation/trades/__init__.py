"""Statistics of the closed trades of a result: Monte Carlo, concentration, Kelly fraction, random entries."""

from maestro.validation.trades.account import AccountTrades, account_trades
from maestro.validation.trades.concentration import Concentration, concentration
from maestro.validation.trades.kelly import Kelly, kelly
from maestro.validation.trades.monte_carlo import MonteCarlo, monte_carlo
from maestro.validation.trades.random_entries import RandomEntries, random_entries

__all__ = [
    "AccountTrades",
    "Concentration",
    "Kelly",
    "MonteCarlo",
    "RandomEntries",
    "account_trades",
    "concentration",
    "kelly",
    "monte_carlo",
    "random_entries",
]
