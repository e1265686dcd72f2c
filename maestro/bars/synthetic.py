"""Synthetic bars, the same on every machine: a geometric random walk with clustered volatility."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.data.timeframes import YEAR_US, timeframe_us
from maestro.errors import SettingsError
from maestro.typing import FloatArray

ANNUAL_VOLATILITY = 0.6
START_US = 1_577_836_800_000_000  # 2020-01-01
# GARCH(1, 1): share of the last shock and of the last variance in the next; the rest is the long-run variance.
_SHOCK, _MEMORY = 0.09, 0.89


def synthetic_columns(n: int, seed: int, timeframe: str) -> dict[str, Any]:
    """Columns timestamp [µs], open, high, low, close, volume of a random walk without drift.

    Only additions, multiplications, divisions and square roots of PCG64's raw numbers are used: these are exact
    to the last digit everywhere, which exponentials, and the draws of `numpy.random.Generator`, are not.

    Parameters
    ----------
    n : int
        Bars, at least 2.
    seed : int
        0 or more; another seed, another series.
    timeframe : str
        The walk's annual volatility is about 60 % in every timeframe.

    Raises
    ------
    SettingsError, BarsError
        `n`, `seed` or `timeframe` is not of that kind.
    """
    for name, value, least in (("n", n, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise SettingsError(f"{name}={value!r} is not a whole number of at least {least}.")
    length = timeframe_us(timeframe)
    usual = ANNUAL_VOLATILITY * float(np.sqrt(length / YEAR_US))
    source = np.random.PCG64(int(seed))
    shock, wick_up, wick_down, activity = (_bell(source, n) for _ in range(4))
    sigma = _clusters(shock) * usual
    # 1 + x upwards and 1 / (1 + x) downwards: symmetric, and above zero whatever the shock.
    move = 1.0 + np.abs(shock * sigma)
    close = 100.0 * np.multiply.accumulate(np.where(shock >= 0, move, 1.0 / move))
    opens = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opens, close) * (1.0 + np.abs(wick_up) * sigma * 0.4)
    low = np.minimum(opens, close) / (1.0 + np.abs(wick_down) * sigma * 0.4)
    volume = 1_000.0 * (sigma / usual) * (0.3 + np.abs(shock)) * (0.2 + activity * activity)
    time = START_US + length * np.arange(n, dtype=np.int64)
    return {"timestamp": time, "open": opens, "high": high, "low": low, "close": close, "volume": volume}


def _bell(source: np.random.PCG64, n: int) -> FloatArray:
    """Nearly normal numbers, mean 0, deviation 1: twelve uniform ones added (Irwin and Hall)."""
    total = np.full(n, -6.0)
    for _ in range(12):
        total += (source.random_raw(n) >> np.uint64(11)) * 2.0**-53
    return total


def _clusters(shock: FloatArray) -> FloatArray:
    """Volatility of each bar in units of the usual one, from the shocks before it."""
    variance, rest = 1.0, 1.0 - _SHOCK - _MEMORY
    path = []
    for value in shock.tolist():
        path.append(variance)
        variance = rest + variance * (_MEMORY + _SHOCK * (value * value))
    return np.sqrt(np.array(path))
