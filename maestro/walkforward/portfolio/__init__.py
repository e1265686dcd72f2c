"""One portfolio of several walk-forwards: capital in sleeves, weights from training windows, one equity curve."""

from maestro.walkforward.portfolio.build import portfolio
from maestro.walkforward.portfolio.result import Portfolio

__all__ = ["Portfolio", "portfolio"]
