"""Regimes: which kind of market a bar belongs to, by past bars alone."""

from maestro.regime.features import FEATURES, feature_rows
from maestro.regime.history import RegimeHistory, history_of, regimes, training_lengths
from maestro.regime.hmm import Gaussian, fit_gaussian
from maestro.regime.model import UNKNOWN, RegimeFit, Regimes, agreement, most_probable

__all__ = [
    "FEATURES",
    "UNKNOWN",
    "Gaussian",
    "RegimeFit",
    "RegimeHistory",
    "Regimes",
    "agreement",
    "feature_rows",
    "fit_gaussian",
    "history_of",
    "most_probable",
    "regimes",
    "training_lengths",
]
