"""Significance of a Sharpe ratio: probabilistic and deflated Sharpe ratio, minimum track record length.

All Sharpe ratios here are **per period**, not annualised; kurtosis is raw (a normal has 3).
"""

from __future__ import annotations

import math
from statistics import NormalDist

from maestro.errors import SettingsError

EULER_GAMMA = 0.5772156649015329
_NORMAL = NormalDist()


def expected_max_sharpe(n_trials: float, trials_variance: float) -> float:
    """Expected maximum of the per-period Sharpe ratios of independent trials without an edge.

    Parameters
    ----------
    n_trials : float
        Number of trials on the way to the result, at least 1; one trial has an expected maximum of 0.
    trials_variance : float
        Variance of the trials' per-period Sharpe ratios.

    Source: D. Bailey and M. López de Prado, The Deflated Sharpe Ratio, 2014, doi:10.3905/jpm.2014.40.5.094.
    Worked: 100 trials, annual variance 1/2, 250 periods per year: 0.1132.
    """
    _positive("n_trials", n_trials, 1.0)
    _positive("trials_variance", trials_variance, 0.0)
    if n_trials == 1:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / n_trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (n_trials * math.e))
    return math.sqrt(trials_variance) * ((1.0 - EULER_GAMMA) * first + EULER_GAMMA * second)


def probabilistic_sharpe_ratio(
    sharpe: float, *, n_obs: int, benchmark: float = 0.0, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`, given one estimated from `n_obs` returns.

    Parameters
    ----------
    sharpe, benchmark : float
        Per period.
    n_obs : int
        Number of returns, at least 2.
    skew, kurtosis : float
        Of the returns; kurtosis raw.

    Returns
    -------
    float
        0 to 1; NaN where `sharpe` is NaN (constant returns) or the moments contradict each other.

    Source: D. Bailey and M. López de Prado, The Sharpe Ratio Efficient Frontier, 2012, doi:10.21314/JOR.2012.255.
    """
    _positive("n_obs", n_obs, 2.0)
    _not_infinite(sharpe=sharpe, benchmark=benchmark, skew=skew, kurtosis=kurtosis)
    spread = _spread(sharpe, skew, kurtosis)
    if not spread > 0:
        return math.nan
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(n_obs - 1) / math.sqrt(spread))


def deflated_sharpe_ratio(
    sharpe: float, *, n_obs: int, n_trials: float, trials_variance: float, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Probability that the true Sharpe ratio is above the maximum expected from luck among all trials.

    Parameters
    ----------
    sharpe : float
        Of the chosen trial, per period.
    n_obs : int
        Number of returns behind it.
    n_trials : float
        Number of **all** trials on the way to the result, reruns included.
    trials_variance : float
        Variance of the trials' Sharpe ratios, per period.

    Worked: annual Sharpe ratio 2.5, 250 periods per year, annual variance 1/2, 1,250 returns, skew -3, kurtosis 10:
    0.9004 for 100 trials.
    """
    benchmark = expected_max_sharpe(n_trials, trials_variance)
    return probabilistic_sharpe_ratio(sharpe, n_obs=n_obs, benchmark=benchmark, skew=skew, kurtosis=kurtosis)


def minimum_track_record_length(
    sharpe: float, *, benchmark: float = 0.0, confidence: float = 0.95, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Number of returns after which a Sharpe ratio is above `benchmark` with `confidence`; infinite if it is not above.

    It is the inverse of `probabilistic_sharpe_ratio`, from the same source.
    """
    if not 0.5 < confidence < 1.0:
        raise SettingsError(f"confidence={confidence!r} is not between 0.5 and 1; 0.95 is usual.")
    _not_infinite(sharpe=sharpe, benchmark=benchmark, skew=skew, kurtosis=kurtosis)
    spread = _spread(sharpe, skew, kurtosis)
    if not spread > 0:
        return math.nan
    if sharpe <= benchmark:
        return math.inf
    return 1.0 + spread * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def _spread(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2


def _positive(name: str, value: float, least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
        raise SettingsError(f"{name}={value!r} is not a number of at least {least:g}.")


def _not_infinite(**values: float) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isinf(value):
            raise SettingsError(f"{name}={value!r} is not a finite number.")
