"""Results of the tried parameter sets over the tested bars, each kept fixed: their median compared with the run.

Source: D. Walton, System Parameter Permutation, NAAIM Wagner Award, 2014. The median over many sets is a sober estimate
of what a rule earns, as no set was picked for its result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro import metrics as m
from maestro._core.hooks import hook
from maestro.bars import Bars
from maestro.errors import SettingsError, nearest
from maestro.reproduce.recorded import Recorded
from maestro.typing import FloatArray
from maestro.validation.statistics.trials import trial_returns

MEASURED = ("sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown")
"""Metrics of a curve of returns."""
MOST_SETS = 2_000


@dataclass(frozen=True)
class ParameterPermutation:
    """Result of `parameter_permutation`.

    Attributes
    ----------
    metric : str
    values : float64[n]
        Metric of each set over the tested bars; NaN if undefined, mostly because nothing was traded.
    observed : float
        Metric of the walk-forward over the same bars.
    left_out : int
        Sets beyond `most`, left out by a seeded draw.
    failed : int
        Sets that could not be simulated.
    search : str
        The run's sampler. Random, Sobol and grid spread the sets evenly; TPE proposes more where training was good.
    """

    metric: str
    values: FloatArray
    observed: float
    left_out: int
    failed: int
    search: str

    @property
    def median(self) -> float:
        """Of the sets where the metric is defined."""
        known = self.values[np.isfinite(self.values)]
        return float(np.median(known)) if len(known) else math.nan

    @property
    def rank(self) -> float:
        """Share of the sets that the walk-forward beats, ties as half; NaN where nothing can be compared."""
        known = self.values[np.isfinite(self.values)]
        if not len(known) or not math.isfinite(self.observed):
            return math.nan
        return float((known < self.observed).mean() + 0.5 * (known == self.observed).mean())

    def figure(self, **options: Any) -> Any:
        """Distribution of the sets with the walk-forward's own value, as a Bokeh figure."""
        return hook("parameter_permutation_figure")(self, **options)

    def __repr__(self) -> str:
        return (
            f"ParameterPermutation({len(self.values):,} fixed sets, {self.metric}: median {self.median:.3g}, "
            f"walk-forward {self.observed:.3g}, above {self.rank:.0%} of them)"
        )

    def _repr_html_(self) -> str:
        return str(hook("parameter_permutation_html")(self)._repr_html_())


def parameter_permutation(
    wf: Recorded, bars: Bars | None = None, *, metric: str = "sharpe_ratio", most: int = MOST_SETS,
    strategy: Any = None, **settings: Any,
) -> ParameterPermutation:  # fmt: skip
    """Trade every set that a walk-forward tried over all bars, and measure each over the tested bars.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    bars : Bars, optional
        Those of the run; loaded again if not given.
    metric : {"sharpe_ratio", "total_return", "annual_return", "volatility", "max_drawdown"}
    most : int
        At most so many sets: those that were chosen and a seeded draw of the others.
    strategy, settings
        As of `trial_returns`: ``seed=``, ``max_bytes=``, ``cancel=``, ``progress=``.

    Raises
    ------
    SettingsError
        An unknown metric, no tested bar, or no trial that was evaluated.

    Notes
    -----
    Positions of a fixed set stay open across fold boundaries; those of the walk-forward are closed there.
    """
    if metric not in MEASURED:
        raise SettingsError(
            f"metric={metric!r} is unknown; allowed: {', '.join(MEASURED)}.{nearest(str(metric), MEASURED)}"
        )
    if not len(wf.equity):
        raise SettingsError(f"no fold of run {wf.id} has a result, so there is nothing to compare with; see wf.folds.")
    found = trial_returns(wf, bars, most=most, strategy=strategy, **settings)
    tested = np.isin(found.stamps, wf.equity["timestamp"].to_physical().to_numpy())
    periods = wf.spec.periods_per_year
    values = [
        m.from_returns(found.returns[tested, k], periods_per_year=periods)[metric]
        for k in range(found.returns.shape[1])
    ]
    own = m.from_returns(wf.equity["return"].to_numpy(), periods_per_year=periods)[metric]
    search = wf.spec.search
    name = search if isinstance(search, str) else search.name
    return ParameterPermutation(metric, np.array(values), float(own), found.left_out, found.failed, name)
