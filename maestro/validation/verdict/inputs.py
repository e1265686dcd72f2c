"""Inputs of the verdict's checks: a walk-forward and the results computed from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from maestro.bars import Bars
from maestro.errors import MaestroError, SettingsError
from maestro.ledger import counted
from maestro.ledger.series import recorded_series
from maestro.typing import FloatArray
from maestro.validation.statistics.trials import sharpe_variance
from maestro.validation.verdict.evidence import Evidence, gather

if TYPE_CHECKING:
    from maestro.validation.lookahead.check import LookAhead
    from maestro.validation.statistics.bootstrap import Intervals
    from maestro.validation.statistics.overfitting import Overfitting
    from maestro.validation.statistics.permutation import Permutation
    from maestro.validation.statistics.snooping import Snooping
    from maestro.walkforward.result import WalkForward


class TrialCount(NamedTuple):
    """Number of trials behind a result, and the variance of their Sharpe ratios per period."""

    distinct: int
    variance: float
    source: str
    """Where the count comes from, for a sentence."""


class Moments(NamedTuple):
    """Moments of the out-of-sample returns per bar."""

    sharpe: float
    """Sharpe ratio per period; NaN if the account was ruined or never moved."""
    skew: float
    kurtosis: float
    """Raw: 3 for a normal distribution."""


@dataclass
class VerdictInputs:
    """Inputs of the checks.

    Attributes
    ----------
    wf : WalkForward
    trials, lookahead, overfitting, snooping, permutation, intervals : optional
        Results of the slow computations; None if not computed.
    cost_multiple : float, optional
        Multiple of the costs at which the return out of sample is zero; NaN without a profit at no costs.
    shifts : dict of float, optional
        Out-of-sample Sharpe ratio with each parameter shifted, by the name of the shift.
    drawn_from : int
        Number of distinct sets that were tried, if `overfitting` and `snooping` are those of a draw; else 0.
    lost : str
        Which of the tried sets could not be simulated; empty if all could.
    reasons : dict of str
        Why an input is missing, by the key of the check that needs it.
    pending : str
        Why any other input is missing.
    """

    wf: WalkForward
    trials: TrialCount | None = None
    lookahead: LookAhead | None = None
    overfitting: Overfitting | None = None
    snooping: Snooping | None = None
    permutation: Permutation | None = None
    intervals: Intervals | None = None
    cost_multiple: float | None = None
    shifts: dict[str, float] | None = None
    drawn_from: int = 0
    lost: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    pending: str = "Not requested."

    @cached_property
    def evidence(self) -> Evidence:
        """Figures of the walk-forward."""
        return gather(self.wf)

    @property
    def returns(self) -> FloatArray:
        """Out-of-sample returns, one per bar."""
        found: FloatArray = self.wf.equity["return"].to_numpy()
        return found

    @property
    def periods_per_year(self) -> float:
        """Number of bars per year."""
        return self.evidence.periods_per_year

    @cached_property
    def moments(self) -> Moments:
        """Moments of the out-of-sample returns."""
        values = self.returns
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        if spread < 1e-14 or self.evidence.ruined:
            return Moments(math.nan, 0.0, 3.0)
        z = (values - values.mean()) / values.std()
        return Moments(float(values.mean() / spread), float((z**3).mean()), float((z**4).mean()))


def count_trials(wf: WalkForward, bars: Bars | None) -> TrialCount:
    """Count the trials behind a run: those in the ledger of its series, or the run's own if the ledger has fewer.

    The ledger has fewer if the run was made on another machine. On a shared ``ledger_dir`` the trials of all users
    count, or with the setting ``ledger_team`` off those of the user who made the run.
    """
    own, variance = sharpe_variance(wf)
    spec = wf.spec.bars
    if spec.synthetic:
        return TrialCount(own, variance, "of this run only: the bars are synthetic")
    try:
        series = recorded_series(spec) if bars is None else bars
        found = counted(series, str((wf.manifest.get("ledger") or {}).get("user", "")))
    except (MaestroError, OSError) as error:
        return TrialCount(own, variance, f"of this run only: the ledger cannot be read ({error})")
    recorded = found.trials
    if recorded.distinct < own or not math.isfinite(recorded.variance):
        return TrialCount(own, variance, "of this run only: the ledger on this machine has fewer")
    return TrialCount(recorded.distinct, recorded.variance, f"ever run on this series, from the ledger{found.who}")


def own_permutation(test: Permutation, metrics: Mapping[str, float], what: str, call: str) -> Permutation:
    """Return the result of an earlier permutation test.

    Raises
    ------
    SettingsError
        Its observed value differs from that of `what` (a run or a portfolio), so it belongs to another one.
    """
    own = metrics.get(test.metric.removeprefix("-"))
    if own is None or abs(test.observed) != abs(own):
        raise SettingsError(
            f"the permutation test observed {test.metric} = {test.observed:g} and the {what} has {own}: it belongs to "
            f"another {what}; make it with {call}."
        )
    return test
