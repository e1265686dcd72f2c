"""Indicators: compiled, one value per bar, from that bar and those before it.

Functions take one-dimensional arrays of numbers and return read-only float64 arrays of the same length (copy
one to change it), crossings return booleans. A window that contains NaN is NaN and later ones are not; values
before the first full window are NaN. They agree with TA-Lib where it has the same indicator, except where a
docstring says otherwise.
"""

from maestro.indicators.averages import MACD, ema, macd, sma, vwap
from maestro.indicators.cache import ColumnCache, column_cache, using
from maestro.indicators.crossings import crosses_above, crosses_below
from maestro.indicators.dispersion import Bands, bollinger, std, zscore
from maestro.indicators.oscillators import StochRSI, momentum, rate_of_change, rsi, stoch_rsi, stochastic
from maestro.indicators.ranges import (
    Channel,
    Ichimoku,
    atr,
    donchian,
    highest,
    ichimoku,
    lowest,
    midrange,
    true_range,
)

__all__ = [
    "MACD",
    "Bands",
    "Channel",
    "ColumnCache",
    "Ichimoku",
    "StochRSI",
    "atr",
    "bollinger",
    "column_cache",
    "crosses_above",
    "crosses_below",
    "donchian",
    "ema",
    "highest",
    "ichimoku",
    "lowest",
    "macd",
    "midrange",
    "momentum",
    "rate_of_change",
    "rsi",
    "sma",
    "std",
    "stoch_rsi",
    "stochastic",
    "true_range",
    "using",
    "vwap",
    "zscore",
]
