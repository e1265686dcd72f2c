"""Expected results of the next test window: a bootstrap of the run's out-of-sample returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from maestro.errors import SettingsError
from maestro.reproduce.plan import windows_of
from maestro.typing import FloatArray
from maestro.validation.statistics.bootstrap import optimal_block, resamples

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of the expected band."""


@dataclass(frozen=True)
class Expectation:
    """Result of `expectation`.

    Attributes
    ----------
    bars : int
        Number of bars ahead.
    total_return, max_drawdown : dict of float by quantile, ``"0.05"`` to ``"0.95"``
    repetitions, block, seed : of the bootstrap
    """

    bars: int
    total_return: dict[str, float]
    max_drawdown: dict[str, float]
    repetitions: int
    block: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        low, high = self.total_return["0.05"], self.total_return["0.95"]
        return f"Expectation({self.bars} bars: total_return {low:.2%} to {high:.2%} in nine of ten cases)"


def expectation(wf: Any, bars: int | None = None, *, repetitions: int = 1_000, seed: int = 0) -> Expectation:
    """Quantiles of return and drawdown over a number of bars, if the future resembles the tested past.

    The out-of-sample returns are resampled by the stationary bootstrap, with a block length chosen from their
    serial dependence.

    Parameters
    ----------
    wf : WalkForward
    bars : int, optional
        Number of bars ahead; by default the length of the last test window.
    repetitions : int, at least 100
    seed : int

    Raises
    ------
    SettingsError
        An invalid number, or fewer than 20 out-of-sample returns.

    Source: D. Politis and J. Romano, The Stationary Bootstrap, 1994, doi:10.1080/01621459.1994.10476870.
    """
    returns: FloatArray = wf.equity["return"].to_numpy()
    length = windows_of(wf)[-1].test_stop - windows_of(wf)[-1].test_start if bars is None else bars
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise SettingsError(f"bars={bars!r} is not a whole number of at least 1.")
    if isinstance(repetitions, bool) or not isinstance(repetitions, int) or repetitions < 100:
        raise SettingsError(f"repetitions={repetitions!r} is not a whole number of at least 100; 1000 is usual.")
    if len(returns) < 20:
        raise SettingsError(f"{len(returns)} returns out of sample are too few to draw from; 20 are needed.")
    block = optimal_block(returns)
    times = -(-length // len(returns))
    drawn = resamples(returns, block, repetitions * times, seed)
    totals, falls = np.empty(repetitions), np.empty(repetitions)
    for k in range(repetitions):
        path = np.concatenate([next(drawn) for _ in range(times)])[:length]
        curve = np.concatenate(([1.0], np.cumprod(1.0 + path)))
        curve[np.maximum.accumulate(curve <= 0.0)] = 0.0  # an account that is ruined stays so
        totals[k] = curve[-1] - 1.0
        falls[k] = (curve / np.maximum.accumulate(curve) - 1.0).min()
    return Expectation(length, _quantiles(totals), _quantiles(falls), repetitions, block, seed)


def _quantiles(values: FloatArray) -> dict[str, float]:
    return {f"{level:g}": float(np.quantile(values, level)) for level in LEVELS}
