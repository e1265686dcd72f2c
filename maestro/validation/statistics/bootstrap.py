"""Stationary block bootstrap of returns: its resamples, the length of its blocks, and confidence intervals of metrics.

Resamples and lengths equal those of `arch.bootstrap` to the bit; importing it would take longer than a verdict.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from maestro import metrics as m
from maestro._core.markup import Markup, html
from maestro.errors import RunCancelled, SettingsError, nearest
from maestro.search.tpe import check_seed
from maestro.typing import FloatArray
from maestro.validation.statistics.inputs import numeric_returns, refuse_total_loss

CURVE = (
    "sharpe_ratio", "vwr", "sortino_ratio", "calmar_ratio", "total_return", "annual_return", "volatility",
    "max_drawdown",
)  # fmt: skip
"""Metrics that come from returns alone, and so can be bootstrapped."""


@dataclass(frozen=True)
class Intervals:
    """Result of `bootstrap_metrics`.

    Attributes
    ----------
    table : polars frame, one row per metric
        metric, value (of the returns themselves), low and high (bounds of the interval), above_zero (share of the
        resamples in which it is above zero), defined (share in which it is a number).
    samples : dict of float64[reps], by metric
    level : float
        Share of the resamples between the bounds.
    block : float
        Mean length of the blocks [periods].
    reps, seed : int
    """

    table: pl.DataFrame
    samples: dict[str, FloatArray]
    level: float
    block: float
    reps: int
    seed: int

    def __getitem__(self, metric: str) -> tuple[float, float]:
        """Bounds of a metric."""
        row = self.table.row(by_predicate=pl.col("metric") == metric, named=True)
        return row["low"], row["high"]

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{r['metric']} {r['value']:.3g} [{r['low']:.3g}, {r['high']:.3g}]" for r in self.table.to_dicts()
        )
        return f"Intervals({self.level:.0%}: {shown}; blocks of {self.block:.3g}, {self.reps:,} resamples)"

    def _repr_html_(self) -> str:
        words = f"{self.level:.0%} intervals, blocks of {self.block:.3g} periods on average, {self.reps:,} resamples"
        return str(html("<p>{}</p>", words) + Markup(self.table._repr_html_()))  # a frame escapes its cells


def bootstrap_metrics(
    returns: Any,
    *,
    periods_per_year: float,
    metrics: Sequence[str] = CURVE,
    level: float = 0.95,
    reps: int = 2_000,
    block: float | None = None,
    seed: int = 0,
    cancel: threading.Event | None = None,
) -> Intervals:
    """Percentile intervals of metrics by the stationary block bootstrap.

    Blocks of random length are drawn with replacement from the returns and joined into series of the same length,
    `reps` times. The order within a block is preserved, so the intervals account for serial
    dependence up to about the length of a block.

    Parameters
    ----------
    returns : float64[n]
        Simple returns per period, at least 20.
    periods_per_year : float
        For annualising.
    metrics : sequence of str
        Of `CURVE`.
    level : float
        0.95: 2.5 % of the resamples lie below the interval, 2.5 % above.
    reps : int
        At least 100.
    block : float, optional
        Mean length of the blocks [periods]; `optimal_block` if not given.
    seed : int
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.

    Notes
    -----
    Resamples in which a metric is undefined (no variance, no drawdown) are left out; `defined` says how often
    it is defined. For the maximum drawdown, the interval shows how much deeper it could have been with another order
    of the same returns.

    Raises
    ------
    SettingsError
        Too few or non-finite returns, an unknown metric, an impossible level, number or length.

    Source: D. Politis and J. Romano, The Stationary Bootstrap, 1994, doi:10.1080/01621459.1994.10476870.
    """
    values = _returns(returns)
    refuse_total_loss(values)
    unknown = [name for name in metrics if name not in CURVE]
    if unknown or not metrics:
        name = unknown[0] if unknown else ""
        raise SettingsError(
            f"metrics: {name!r} cannot be bootstrapped; allowed: {', '.join(CURVE)}.{nearest(name, CURVE)}"
        )
    if not 0.5 <= level < 1.0:
        raise SettingsError(f"level={level!r} is not a share from 0.5 to below 1; 0.95 is usual.")
    if isinstance(reps, bool) or not isinstance(reps, int) or reps < 100:
        raise SettingsError(f"reps={reps!r} is not a whole number of at least 100.")
    if not 0 < periods_per_year < math.inf:
        raise SettingsError(f"periods_per_year={periods_per_year!r} is not a number above 0.")
    length = optimal_block(values) if block is None else float(block)
    if not 1.0 <= length <= len(values):
        raise SettingsError(f"block={block!r} is not a length from 1 to the {len(values)} returns.")
    out = np.zeros((reps, len(m.NAMES)))
    for k, sample in enumerate(resamples(values, length, reps, seed)):
        if cancel is not None and cancel.is_set():
            raise RunCancelled(f"cancelled after {k} of {reps} resamples; nothing was changed.")
        _measure(sample, periods_per_year, out[k])
    own = np.zeros(len(m.NAMES))
    _measure(values, periods_per_year, own)
    tail = (1.0 - level) / 2.0
    rows, samples = [], {}
    for name in metrics:
        k = m.NAMES.index(name)
        column = out[:, k]
        defined = column[np.isfinite(column)]
        low, high = np.quantile(defined, [tail, 1.0 - tail]) if len(defined) else (math.nan, math.nan)
        above = float((defined > 0).mean()) if len(defined) else math.nan
        rows.append((name, float(own[k]), float(low), float(high), above, len(defined) / reps))
        samples[name] = column
    schema = {"metric": pl.String, **dict.fromkeys(("value", "low", "high", "above_zero", "defined"), pl.Float64)}
    return Intervals(pl.DataFrame(rows, schema=schema, orient="row"), samples, level, length, reps, seed)


def optimal_block(returns: Any) -> float:
    """Mean length of blocks for the stationary bootstrap of these returns [periods], at least 1.

    Source: D. Politis and H. White, Automatic Block-Length Selection, 2004, doi:10.1081/ETC-120028836, with the
    correction of A. Patton, D. Politis and H. White, 2009, doi:10.1080/07474930802459016.
    """
    values = _returns(returns)
    if np.ptp(values) == 0:
        return 1.0
    n = len(values)
    distances = values - values.mean()
    usual = max(5, int(np.log10(n)))
    most = int(np.ceil(np.sqrt(n))) + usual
    band = 2 * np.sqrt(np.log10(n) / n)
    covariances, correlations = np.zeros(most + 1), np.zeros(most + 1)
    significant: int | None = None  # lags after which `usual` correlations in a row lie within the band
    with np.errstate(divide="ignore", invalid="ignore"):  # a stretch without variance has no correlation
        for lag in range(most + 1):
            later, earlier = distances[lag + 1 :], distances[: -(lag + 1)]
            product = distances[lag:] @ distances[: n - lag]
            covariances[lag] = product / n
            correlations[lag] = np.abs(product) / np.sqrt((later @ later) * (earlier @ earlier))
            if significant is None and lag >= usual and (correlations[lag - usual : lag] < band).all():
                significant = lag - usual
        lags = most if significant is None else min(2 * max(significant, 1), most)
        slope, variance = 0.0, covariances[0]
        for lag in range(1, lags + 1):
            weight = 1 if lag / lags <= 1 / 2 else 2 * (1 - lag / lags)
            slope += 2 * weight * lag * covariances[lag]
            variance += 2 * weight * covariances[lag]
        length = ((2 * slope**2) / (2 * variance**2)) ** (1 / 3) * n ** (1 / 3)
    found = float(min(length, np.ceil(min(3 * np.sqrt(n), n / 3))))
    return max(found, 1.0) if math.isfinite(found) else 1.0


def resamples(values: FloatArray, block: float, reps: int, seed: int) -> Iterator[FloatArray]:
    """Yield resamples of the rows of an array, each with as many rows."""
    rng = np.random.default_rng(check_seed(seed))
    n, share = len(values), 1.0 / block
    places = np.arange(n)
    for _ in range(reps):
        drawn = rng.integers(n, size=n)
        begins = rng.random(n) <= share
        begins[0] = True
        first = np.maximum.accumulate(np.where(begins, places, 0))
        rows = drawn[first] + (places - first)
        rows[rows >= n] -= n  # a block goes on at the beginning
        yield values[rows]


def _measure(returns: FloatArray, periods: float, out: FloatArray) -> None:
    equity = np.cumprod(1.0 + returns)
    out[m.RUINED] = float(equity.min() <= 0)
    m.measure(equity, 1.0, periods, out)


def _returns(given: Any) -> FloatArray:
    values = numeric_returns(given)
    if values.ndim != 1 or len(values) < 20:
        raise SettingsError(f"returns have shape {values.shape}; give one series of at least 20 returns.")
    return values
