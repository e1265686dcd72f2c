"""Kelly fraction: the size at which an account with a result's closed trades would have grown fastest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro._core.hooks import hook
from maestro.errors import SettingsError
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray
from maestro.validation.trades.account import account_trades

_STEPS = 50
"""Halvings of the range in which the fraction lies."""
_DRAWN = 4_000_000
"""Trades drawn at a time."""


@dataclass(frozen=True)
class Kelly:
    """Size that maximises the mean logarithmic growth of a set of trades, as a multiple of the size that was traded.

    Attributes
    ----------
    full : float
        Multiple at which the account grows fastest: 1 is the size as traded, 0.3 is 30 % of it. 0 if the mean
        return of the trades is not above 0. NaN if no trade lost, as no size is then too large.
    low, high : float
        Interval of `full` over resampled trades; infinite where a resample has no loss.
    without_edge : float
        Share of the resamples whose fraction is 0.
    growth : dict of float
        Mean logarithmic growth per trade, by ``traded``, ``half`` and ``full``; -inf where an account is ruined.
    level : float
        Of the interval.
    trades, resamples, seed : int
    """

    full: float
    low: float
    high: float
    without_edge: float
    growth: dict[str, float]
    level: float
    trades: int
    resamples: int
    seed: int

    @property
    def half(self) -> float:
        """Half of `full`: three quarters of the growth at a quarter of the variance, if returns are small."""
        return self.full / 2.0

    @property
    def summary(self) -> str:
        """In a sentence."""
        if math.isnan(self.full):
            return f"None of {self.trades:,} trades lost, so no size is too large by them."
        if self.full == 0.0:
            return (
                f"The {self.trades:,} trades lost on average, so the Kelly fraction is 0; it is above 0 in "
                f"{1.0 - self.without_edge:.0%} of the resamples."
            )
        top = "no upper limit" if math.isinf(self.high) else f"{self.high:.2f}"
        return (
            f"The {self.trades:,} trades grow fastest at {self.full:.2f} times their size, half Kelly is "
            f"{self.half:.2f}; {self.level:.0%} of the resamples lie between {self.low:.2f} and {top}, and "
            f"{self.without_edge:.0%} have no edge at all."
        )

    def __repr__(self) -> str:
        return f"Kelly({self.summary})"

    def _repr_html_(self) -> str:
        return str(hook("kelly_html")(self)._repr_html_())


def kelly(result: Any, *, level: float = 0.90, resamples: int = 1_000, seed: int = 0) -> Kelly:
    """Compare the traded size of a result with the Kelly fraction of its closed trades.

    A comparison, not advice: the fraction is fitted to the trades, and above the true one an account grows more slowly
    at more risk. The interval shows how uncertain it is, even with a few hundred trades.

    Parameters
    ----------
    result : WalkForward, Backtest or float64[n]
        Trades out of sample, of the backtest, or returns on the account of trades.
    level : float
        Of the interval, between 0 and 1.
    resamples : int
        Draws of as many trades with replacement, at least 100.
    seed : int

    Raises
    ------
    SettingsError
        Fewer than two closed trades, returns below -1 or not finite, or an argument outside its range.

    Notes
    -----
    Trades are assumed not to overlap, with independent returns. Worked: a game that gains 100 % of the stake with
    probability 0.6 and loses it otherwise has a fraction of 0.6 - 0.4 = 0.2.

    Source: J. Kelly, A New Interpretation of Information Rate, 1956, doi:10.1002/j.1538-7305.1956.tb03809.x.
    """
    returns = np.asarray(result, np.float64) if isinstance(result, np.ndarray) else account_trades(result).returns
    if returns.ndim != 1 or len(returns) < 2:
        raise SettingsError(f"{len(np.atleast_1d(returns))} closed trades are too few; at least 2 are needed.")
    if not np.isfinite(returns).all() or (returns < -1).any():
        raise SettingsError(
            "returns of trades must be finite and at least -1: an account cannot lose more than it has."
        )
    if not 0.0 < level < 1.0:
        raise SettingsError(f"level={level!r} is not between 0 and 1; 0.9 is usual.")
    if isinstance(resamples, bool) or not isinstance(resamples, (int, np.integer)) or resamples < 100:
        raise SettingsError(f"resamples={resamples!r} is not a whole number of at least 100.")
    check_seed(seed)
    full = float(_fractions(returns[None, :])[0])
    rng, n = np.random.default_rng(seed), len(returns)
    drawn, left = [], int(resamples)
    while left:
        count = max(1, min(left, _DRAWN // n))
        drawn.append(_fractions(returns[rng.integers(0, n, (count, n))]))
        left -= count
    found = np.concatenate(drawn)
    low = float(np.quantile(found, (1 - level) / 2, method="lower"))
    high = float(np.quantile(found, (1 + level) / 2, method="higher"))
    known = math.nan if math.isinf(full) else full
    growth = {"traded": _growth(returns, 1.0), "half": _growth(returns, known / 2), "full": _growth(returns, known)}
    return Kelly(known, low, high, float((found == 0.0).mean()), growth, level, n, int(resamples), seed)


def _fractions(returns: FloatArray) -> FloatArray:
    """Fraction of each row of returns: the root of the derivative of its mean logarithmic growth, by bisection.

    0 without a mean above 0, infinite without a loss.
    """
    worst = -returns.min(axis=1)
    gains, loses = returns.mean(axis=1) > 0.0, worst > 0.0
    low = np.zeros(len(returns))
    high = np.divide(1.0, worst, out=np.ones(len(returns)), where=loses)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        rising = (returns / (1.0 + middle[:, None] * returns)).sum(axis=1) > 0.0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.where(gains, np.where(loses, (low + high) / 2.0, np.inf), 0.0)


def _growth(returns: FloatArray, fraction: float) -> float:
    """Mean logarithmic growth per trade at a fraction; NaN where it is not known, -inf if the account is ruined."""
    if math.isnan(fraction):
        return math.nan
    left = 1.0 + fraction * returns
    return float(np.log(left).mean()) if (left > 0.0).all() else -math.inf
