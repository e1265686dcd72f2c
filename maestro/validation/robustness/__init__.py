"""Robustness of a walk-forward to small changes: parameters, windows, costs, delays, missing bars, noise on prices."""

from maestro.validation.robustness.by_regime import by_regime
from maestro.validation.robustness.choices import Choices, Outcome, choices_of
from maestro.validation.robustness.cost_map import CostMap, cost_map
from maestro.validation.robustness.geometry import GeometryMap, geometry_map
from maestro.validation.robustness.neighbourhood import Neighbourhood, neighbourhood
from maestro.validation.robustness.perturbation import Perturbations, perturbations
from maestro.validation.robustness.retiming import Retiming, retiming

__all__ = [
    "Choices",
    "CostMap",
    "GeometryMap",
    "Neighbourhood",
    "Outcome",
    "Perturbations",
    "Retiming",
    "by_regime",
    "choices_of",
    "cost_map",
    "geometry_map",
    "neighbourhood",
    "perturbations",
    "retiming",
]
