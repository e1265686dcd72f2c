"""Closed bars of a longer timeframe or another symbol, seen from the bars of a rule without looking ahead."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import BarsError
from maestro.typing import FloatArray, IntArray

_KEPT = 64
"""Aligned columns that are kept: those of the indicators that a search shares between parameter sets."""


class Forming(NamedTuple):
    """The longer bar in progress at the close of each bar, as far as it is known then; float64[n] each."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


class AlignedBars:
    """Closed bars of a longer timeframe, made by `Bars.higher`, or of another symbol, made by `Bars.other`.

    Indicators take its columns as they take those of `Bars`, and `at` brings their values back:

    .. code-block:: python

        def signals(self, bars):
            day = bars.higher("1d")
            trend = day.at(ms.indicators.ema(day.close, self.slow))
            return ms.Signals.flip(bars.close > trend, bars.close < trend)

    Attributes
    ----------
    timeframe : str
    time : int64[m], open of each longer bar [µs since 1970, UTC]
    open, high, low, close, volume : float64[m], read-only
    index : int64[n]
        For each bar of the shorter timeframe, the last longer bar that had closed at or before its close; -1 before
        the first.
    """

    __slots__ = ("_base", "_bucket", "_forming", "_kept", "close", "high", "index", "low", "open", "time", "timeframe",
                 "volume")  # fmt: skip

    time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __init__(
        self, timeframe: str, columns: dict[str, Any], closes_at: IntArray, base: dict[str, Any],
        base_closes_at: IntArray, bucket: IntArray,
    ) -> None:  # fmt: skip
        """Take validated columns as they are; use `Bars.higher`."""
        self.timeframe = timeframe
        for name in ("time", "open", "high", "low", "close", "volume"):
            setattr(self, name, columns[name])
        self.index: IntArray = np.searchsorted(closes_at, base_closes_at, side="right") - 1
        self.index.flags.writeable = False
        self._base, self._bucket = base, bucket
        self._forming: Forming | None = None
        self._kept: OrderedDict[int, tuple[Any, FloatArray]] = OrderedDict()

    def __len__(self) -> int:
        return len(self.time)

    def at(self, values: Any) -> FloatArray:
        """Values of the longer bars at each bar of the shorter timeframe, float64[n], read-only.

        Each bar gets the value of the last longer bar that had closed at or before its own close: a daily value of
        Monday is there from the close of the bar that ends with Monday on, until Tuesday has closed. NaN before the
        first.

        Raises
        ------
        BarsError
            `values` has not one number per longer bar.
        """
        kept = self._kept.get(id(values))
        if kept is not None and kept[0] is values:
            return kept[1]
        column = np.asarray(values, np.float64)
        if column.shape != self.time.shape:
            raise BarsError(
                f"at() takes one value for each of the {len(self)} {self.timeframe} bars, got shape {column.shape}; "
                "give an indicator of this object's columns."
            )
        out: FloatArray = np.append(column, np.nan)[self.index]  # -1 takes the last one, NaN
        out.flags.writeable = False
        if isinstance(values, np.ndarray) and not values.flags.writeable:  # what can change is never kept
            self._kept[id(values)] = (values, out)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return out

    @property
    def forming(self) -> Forming:
        """The longer bar in progress at each bar's close, built from the shorter bars up to and including it."""
        if not self._base:
            raise BarsError("another symbol's bar in progress is not known; only `bars.higher` has forming bars.")
        if self._forming is None:
            n = len(self._bucket)
            out = np.empty((5, n))
            base = self._base
            _forming(self._bucket, base["open"], base["high"], base["low"], base["close"], base["volume"], out)
            out.flags.writeable = False
            self._forming = Forming(*out)
        return self._forming

    def __repr__(self) -> str:
        return f"AlignedBars({self.timeframe}, {len(self):,} closed bars for {len(self.index):,} bars)"


@njit(cache=True, nogil=True, borrows=True)
def _forming(bucket: Any, opened: Any, high: Any, low: Any, close: Any, volume: Any, out: Any) -> None:
    for t in range(len(bucket)):
        if t == 0 or bucket[t] != bucket[t - 1]:
            out[0, t], out[1, t], out[2, t], out[4, t] = opened[t], high[t], low[t], volume[t]
        else:
            out[0, t] = out[0, t - 1]
            out[1, t] = max(out[1, t - 1], high[t])
            out[2, t] = min(out[2, t - 1], low[t])
            out[4, t] = out[4, t - 1] + volume[t]
        out[3, t] = close[t]
