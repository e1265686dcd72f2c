"""A count of trials with what the variance of their Sharpe ratios needs; tallies add up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Tally:
    """Trials, and count, mean and sum of squared deviations of their Sharpe ratios **per period**.

    Parameters
    ----------
    trials : int
        All that were evaluated, those without a Sharpe ratio too.
    n : int
        Those with one.
    mean, m2 : float
        Mean of these, and the sum of their squared distances from it.

    Two tallies added give that of all their trials (T. Chan, G. Golub, R. LeVeque, 1983, doi:10.2307/2683386).
    """

    trials: int = 0
    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, sharpes: Iterable[float] | Any, trials: int | None = None, *, periods_per_year: float = 1.0) -> Tally:
        """Count Sharpe ratios, annualised by `periods_per_year` (1: not at all); NaN is a trial without one.

        Raises
        ------
        SettingsError
            Fewer trials than Sharpe ratios, or periods that are not above zero.
        """
        values = np.asarray(sharpes if isinstance(sharpes, np.ndarray) else list(sharpes), np.float64)
        count = len(values) if trials is None else trials
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < len(values):
            raise SettingsError(f"trials={trials!r} for {len(values)} Sharpe ratios; give a whole number, not fewer.")
        if not 0 < periods_per_year < math.inf:
            raise SettingsError(f"periods_per_year={periods_per_year!r} is not a number above zero.")
        values = values[np.isfinite(values)] / math.sqrt(periods_per_year)
        if not len(values):
            return cls(int(count))
        mean = float(values.mean())
        return cls(int(count), len(values), mean, float(((values - mean) ** 2).sum()))

    def __add__(self, other: Tally) -> Tally:
        n = self.n + other.n
        if not n:
            return Tally(self.trials + other.trials)
        step = other.mean - self.mean
        mean = self.mean + step * other.n / n
        return Tally(self.trials + other.trials, n, mean, self.m2 + other.m2 + step * step * self.n * other.n / n)

    @property
    def variance(self) -> float:
        """Sample variance of the Sharpe ratios per period; NaN where there are fewer than two."""
        return self.m2 / (self.n - 1) if self.n > 1 else math.nan
