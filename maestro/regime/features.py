"""Features of bars that regime models use: returns, their volatility, the strength of a trend."""

from __future__ import annotations

import numpy as np

from maestro.bars import Bars
from maestro.errors import SettingsError, nearest
from maestro.typing import FloatArray

FEATURES = {
    "return": "log return from close to close",
    "volatility": "log of the standard deviation of the last `window` log returns",
    "trend": "log return over the last `window` bars, divided by its standard deviation under no drift",
}


def feature_rows(bars: Bars, names: tuple[str, ...], window: int) -> FloatArray:
    """Features of each bar, float64[n, d]; a row depends on bars up to and including its own.

    NaN where a window is not full yet, and where a window has no variance.

    Raises
    ------
    SettingsError
        An unknown feature, or a window below 2.
    """
    for name in names:
        if name not in FEATURES:
            raise SettingsError(
                f"feature {name!r} is unknown; allowed: {', '.join(FEATURES)}.{nearest(str(name), FEATURES)}"
            )
    if not names:
        raise SettingsError(f"no feature is given; allowed: {', '.join(FEATURES)}.")
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < 2:
        raise SettingsError(f"window={window!r} is not a whole number of at least 2 bars.")
    log_close = np.log(bars.close)
    returns = np.empty(len(bars))
    returns[0] = np.nan
    np.subtract(log_close[1:], log_close[:-1], out=returns[1:])
    deviation = _rolling_deviation(returns, window) if set(names) - {"return"} else returns
    columns = []
    for name in names:
        if name == "return":
            columns.append(returns)
        elif name == "volatility":
            columns.append(np.log(deviation))
        else:
            moved = np.full(len(bars), np.nan)
            moved[window:] = log_close[window:] - log_close[:-window]
            columns.append(moved / (deviation * np.sqrt(window)))
    return np.column_stack(columns)


def _rolling_deviation(returns: FloatArray, window: int) -> FloatArray:
    """Standard deviation (ddof 1) of the last `window` returns, two-pass; NaN where it is zero or undefined."""
    out = np.full(len(returns), np.nan)
    if len(returns) > window:
        views = np.lib.stride_tricks.sliding_window_view(returns[1:], window)
        out[window:] = views.std(axis=1, ddof=1)
    out[~(out > 0)] = np.nan
    return out
