"""Portfolios: weights of sleeves chosen on training windows, and one account for several series."""

from maestro.portfolio.shared import SharedAccount, run_shared
from maestro.portfolio.weights import RULES, weights

__all__ = ["RULES", "SharedAccount", "run_shared", "weights"]
