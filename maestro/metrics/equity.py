"""What a result is worth: every metric, one definition each, from an equity curve and its trades.

The kernel `measure` computes all of them in one pass over the equity; the functions below it are the same
definitions for existing arrays. Annualisation takes `periods_per_year`, never an assumed calendar.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import SettingsError
from maestro.typing import FloatArray

DESCRIPTIONS = {
    "sharpe_ratio": "mean / standard deviation (ddof 1) of the returns per bar, annualised, no risk-free rate",
    "vwr": "variability-weighted return in percent (backtrader's definition; a loss is never a gain)",
    "sortino_ratio": "mean / downside deviation (target 0, over all bars), annualised",
    "calmar_ratio": "annual return / largest drawdown",
    "total_return": "final equity / starting cash - 1",
    "annual_return": "compound annual growth rate",
    "volatility": "standard deviation (ddof 1) of the returns per bar, annualised",
    "max_drawdown": "largest fall of the equity from a peak, a fraction <= 0; the starting cash is the first peak",
    "win_rate": "share of closed trades with a profit after costs",
    "profit_factor": "profits / losses of the closed trades",
    "num_trades": "closed trades",
    "turnover": "traded notional of both sides / mean equity, a year",
    "exposure": "share of bars with a position at the close",
    "final_equity": "equity at the last close [currency]",
    "fees": "fees paid [currency]",
    "slippage": "notional lost to slippage [currency]",
    "funding": "funding paid, negative when received [currency]",
    "cut_entries": "entries cut to the largest exposure",
    "ruined": "1 where the equity fell to zero or below, else 0",
}
NAMES = tuple(DESCRIPTIONS)
(
    SHARPE, VWR, SORTINO, CALMAR, TOTAL, ANNUAL, VOLATILITY, DRAWDOWN, WIN_RATE, PROFIT_FACTOR, NUM_TRADES, TURNOVER,
    EXPOSURE, FINAL, FEES, SLIPPAGE, FUNDING, CUT, RUINED,
) = range(len(NAMES))  # fmt: skip

NO_LOSS = "No closed trade lost, so the profit factor is not defined (NaN)."
"""Note of a result whose profit factor has no denominator."""
VWR_TAU = 0.20
VWR_SDEV_MAX = 2.0
ZERO = 1e-14
"""A denominator below this is zero, and its ratio NaN."""

_BLOCK = 512


@njit(cache=True, nogil=True, borrows=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def _block_sums(now: Any, before: Any, decay: Any, scale: float, centre_r: float, centre_d: float, out: Any) -> None:
    """Add a block's shifted sums of r, r², min(r, 0)², d, d² and E to `out`; `decay` is exp(-ravg * j)."""
    sum_r = sum_rr = sum_down = sum_d = sum_dd = sum_e = 0.0
    for i in range(now.shape[0]):
        ratio = now[i] / before[i]
        shifted = (ratio - 1.0) - centre_r
        down = min(ratio - 1.0, 0.0)
        deviation = (ratio * (decay[i] * scale) - 1.0) - centre_d
        sum_r += shifted
        sum_rr += shifted * shifted
        sum_down += down * down
        sum_d += deviation
        sum_dd += deviation * deviation
        sum_e += now[i]
    out[0] += sum_r
    out[1] += sum_rr
    out[2] += sum_down
    out[3] += sum_d
    out[4] += sum_dd
    out[5] += sum_e


@njit(cache=True, nogil=True, borrows=True)
def _block_extremes(bits: Any) -> tuple[int, int]:
    """Smallest and largest of positive doubles seen as integers, which vectorises where doubles do not."""
    low = bits[0]
    high = bits[0]
    for i in range(bits.shape[0]):
        low = min(low, bits[i])
        high = max(high, bits[i])
    return low, high


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def _fall(block: Any, bits: Any, peak: float, worst: float, scratch: Any) -> tuple[float, float]:
    """Return the running peak and the smallest share of it after a block; `bits` and `scratch` are int64.

    Division is monotone: under one peak the lowest value is the smallest share, to the bit. Values are read one by one
    only in a block with a new peak that can beat what is known.
    """
    scratch[0], scratch[1] = _block_extremes(bits)
    extremes = scratch.view(np.float64)
    low, high = extremes[0], extremes[1]
    if high <= peak:
        return peak, min(worst, low / peak)
    if low / high < worst:
        running = peak
        for value in block:
            running = max(running, value)
            worst = min(worst, value / running)
    return high, worst


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def _drawdown_signed(equity: Any, start: float) -> float:
    """Compute the same for an equity that may be zero or negative (after a ruin)."""
    peak = start
    worst = 1.0
    for value in equity:
        peak = max(peak, value)
        worst = min(worst, value / peak)
    return worst - 1.0


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def _measure(
    equity: Any, start: float, periods: float, decay: Any, sums: Any, first: Any, scratch: Any, out: Any
) -> None:
    """`measure` with the arrays it works in: float64[_BLOCK], zeros float64[6], float64[1] and int64[2]."""
    n = equity.shape[0]
    final = equity[n - 1]
    out[TOTAL] = final / start - 1.0
    out[FINAL] = final
    ruined = out[RUINED] != 0.0 or final <= 0.0
    if ruined:
        for k in (SHARPE, VWR, SORTINO, CALMAR, ANNUAL, VOLATILITY, TURNOVER):
            out[k] = np.nan
        out[DRAWDOWN] = _drawdown_signed(equity, start)
        return
    growth = math.log(final / start) / n
    centre_r = math.expm1(growth)
    centre_d = math.expm1(-growth * (0.5 * n))
    for j in range(min(n, _BLOCK)):
        decay[j] = math.exp(-growth * j)
    first[0] = start
    _block_sums(equity[:1], first, decay[:1], math.exp(-growth), centre_r, centre_d, sums)
    bits = equity.view(np.int64)
    peak, worst = _fall(equity[:1], bits[:1], start, 1.0, scratch)
    for a in range(1, n, _BLOCK):
        b = min(a + _BLOCK, n)
        scale = math.exp(-growth * (a + 1))
        _block_sums(equity[a:b], equity[a - 1 : b - 1], decay[: b - a], scale, centre_r, centre_d, sums)
        peak, worst = _fall(equity[a:b], bits[a:b], peak, worst, scratch)  # while the block is in the cache
    drawdown = worst - 1.0
    annual = math.exp(growth * periods) - 1.0
    mean = centre_r + sums[0] / n
    root = math.sqrt(periods)
    out[DRAWDOWN] = drawdown
    out[ANNUAL] = annual if annual < np.inf else np.nan
    out[CALMAR] = out[ANNUAL] / -drawdown if -drawdown >= ZERO else np.nan
    down = math.sqrt(sums[2] / n)
    out[SORTINO] = mean / down * root if down >= ZERO else np.nan
    out[SHARPE] = out[VOLATILITY] = out[VWR] = np.nan
    if n > 1:
        deviation = math.sqrt(max(sums[1] - sums[0] * sums[0] / n, 0.0) / (n - 1))
        out[VOLATILITY] = deviation * root
        if deviation >= ZERO:
            out[SHARPE] = mean / deviation * root
        sigma = math.sqrt(max(sums[4] - sums[3] * sums[3] / n, 0.0) / (n - 1))
        out[VWR] = weigh(100.0 * out[ANNUAL], sigma)
    mean_equity = sums[5] / n
    out[TURNOVER] = out[TURNOVER] / mean_equity / (n / periods)


@njit(cache=True, nogil=True, error_model="numpy")
def measure(equity: Any, start: float, periods: float, out: Any) -> None:
    """Write the metrics of an equity curve into `out` (see `NAMES`); those of trades are the caller's.

    `equity` : float64[n], at the close of each bar; `start` > 0 the starting cash; `periods` a year.
    Needs the final value first (VWR), so it runs when the curve is complete.
    """
    _measure(equity, start, periods, np.empty(_BLOCK), np.zeros(6), np.empty(1), np.empty(2, np.int64), out)


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(normalised: float, sigma: float) -> float:
    """VWR from the normalised return [%] and sigma; two negative factors are a loss, not a gain."""
    factor = 1.0 - (sigma / VWR_SDEV_MAX) ** VWR_TAU
    product = normalised * factor
    if normalised < 0.0 and factor < 0.0:
        return -abs(product)
    return product


# -- the same definitions for existing arrays -------------------------------------------------


def from_returns(returns: Any, *, periods_per_year: float) -> dict[str, float]:
    """Metrics of a series of simple returns, one per period; those of trades are left out.

    Parameters
    ----------
    returns : float64[n]
        Simple returns per period, the first against the starting value.
    periods_per_year : float
        For annualising, e.g. 8,760 for hours, 365 for days that never close, 252 for a stock exchange.
    """
    values = _series(returns, "returns")
    return from_equity(np.cumprod(1.0 + values), 1.0, periods_per_year=periods_per_year)


def from_equity(equity: Any, start: float, *, periods_per_year: float) -> dict[str, float]:
    """Metrics of an equity curve (value at the end of each period) that began with `start`."""
    values = _series(equity, "equity")
    if not start > 0 or not periods_per_year > 0:
        raise SettingsError(f"start={start}, periods_per_year={periods_per_year}: both must be above 0.")
    out = np.zeros(len(NAMES))
    out[RUINED] = float((values <= 0).any())
    measure(values, float(start), float(periods_per_year), out)
    curve = (SHARPE, VWR, SORTINO, CALMAR, TOTAL, ANNUAL, VOLATILITY, DRAWDOWN)
    return {NAMES[k]: float(out[k]) for k in curve}


def vwr(equity: Any, start: float, *, periods_per_year: float, form: str = "backtrader") -> float:
    """Variability-weighted return [%].

    ``form="backtrader"`` compares each value with the one before it, as backtrader's analyzer does, and ranks
    here; ``form="zero_variability"`` compares with the straight line of constant growth from the start, as in
    the literature. Worked: 55,122.56 from 50,000 over the 255 days of 2006, 252 periods: 5.8264 and 5.8389.
    """
    values = _series(equity, "equity")
    if form not in ("backtrader", "zero_variability"):
        raise SettingsError(f"form={form!r} is unknown; allowed: backtrader, zero_variability.")
    if (values <= 0).any() or len(values) < 2:
        return math.nan
    n = len(values)
    growth = math.log(values[-1] / start) / n
    before = np.concatenate(([start], values[:-1])) if form == "backtrader" else np.full(n, float(start))
    deviations = values / (before * np.exp(growth * np.arange(1, n + 1))) - 1.0
    return float(weigh(100.0 * math.expm1(growth * periods_per_year), float(np.std(deviations, ddof=1))))


def sharpe_ratio_daily_rf(returns: Any, *, periods_per_year: float = 252, annual_rate: float = 0.01) -> float:
    """Sharpe ratio as backtrader's ``SharpeRatio_A`` has it, for comparison: a risk-free rate, ddof 0."""
    values = _series(returns, "returns")
    excess = values - ((1.0 + annual_rate) ** (1.0 / periods_per_year) - 1.0)
    deviation = float(excess.std())
    return float(excess.mean() / deviation * math.sqrt(periods_per_year)) if deviation >= ZERO else math.nan


def _series(values: Any, name: str) -> FloatArray:
    array = np.ascontiguousarray(values, np.float64)
    if array.ndim != 1 or not len(array):
        raise SettingsError(f"{name} has shape {array.shape}; give a series of at least one value.")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise SettingsError(f"{name} is {array[row]} at position {row}; give finite numbers.")
    return array
