"""Statistics of luck: overfitting of the choice, many trials, data snooping, resampled and permuted bars."""

from maestro.validation.lookahead.boundary import BoundaryAudit, boundary_audit
from maestro.validation.lookahead.check import LookAhead, lookahead
from maestro.validation.multiple import (
    ManyPermutation,
    Resampled,
    Significance,
    benjamini_hochberg,
    holm,
    permutation_test_many,
    permutation_test_portfolio,
    resampled_test,
    significance,
)
from maestro.validation.robustness import (
    CostMap,
    GeometryMap,
    Neighbourhood,
    Perturbations,
    Retiming,
    by_regime,
    cost_map,
    geometry_map,
    neighbourhood,
    perturbations,
    retiming,
)
from maestro.validation.statistics.bootstrap import Intervals, bootstrap_metrics, optimal_block
from maestro.validation.statistics.cpcv import Cpcv, cpcv
from maestro.validation.statistics.overfitting import Overfitting, pbo
from maestro.validation.statistics.parameter_permutation import ParameterPermutation, parameter_permutation
from maestro.validation.statistics.permutation import Permutation, permutation_test, permuted_bars
from maestro.validation.statistics.sharpe import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from maestro.validation.statistics.snooping import Snooping, reality_check, spa, step_m
from maestro.validation.statistics.trials import TrialReturns, trial_returns, trials_pbo
from maestro.validation.trades import (
    Concentration,
    Kelly,
    MonteCarlo,
    RandomEntries,
    concentration,
    kelly,
    monte_carlo,
    random_entries,
)
from maestro.validation.verdict.inputs import VerdictInputs
from maestro.validation.verdict.preliminary import preliminary_verdict
from maestro.validation.verdict.rule import Check, conclude_from

__all__ = [
    "BoundaryAudit",
    "Check",
    "Concentration",
    "CostMap",
    "Cpcv",
    "GeometryMap",
    "Intervals",
    "Kelly",
    "LookAhead",
    "ManyPermutation",
    "MonteCarlo",
    "Neighbourhood",
    "Overfitting",
    "ParameterPermutation",
    "Permutation",
    "Perturbations",
    "RandomEntries",
    "Resampled",
    "Retiming",
    "Significance",
    "Snooping",
    "TrialReturns",
    "VerdictInputs",
    "benjamini_hochberg",
    "bootstrap_metrics",
    "boundary_audit",
    "by_regime",
    "concentration",
    "conclude_from",
    "cost_map",
    "cpcv",
    "deflated_sharpe_ratio",
    "expected_max_sharpe",
    "geometry_map",
    "holm",
    "kelly",
    "lookahead",
    "minimum_track_record_length",
    "monte_carlo",
    "neighbourhood",
    "optimal_block",
    "parameter_permutation",
    "pbo",
    "permutation_test",
    "permutation_test_many",
    "permutation_test_portfolio",
    "permuted_bars",
    "perturbations",
    "preliminary_verdict",
    "probabilistic_sharpe_ratio",
    "random_entries",
    "reality_check",
    "resampled_test",
    "retiming",
    "significance",
    "spa",
    "step_m",
    "trial_returns",
    "trials_pbo",
]
