"""A vectorbt Portfolio from the fills of a backtest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import vectorbt as vbt
from vectorbt.base.array_wrapper import ArrayWrapper
from vectorbt.portfolio.enums import OrderSide, log_dt, order_dt

from maestro.bars import Bars
from maestro.data.timeframes import timeframe_us
from maestro.engine.kernels import account as ac
from maestro.typing import FloatArray


def portfolio(bars: Bars, book: FloatArray, begin: int, cash: float) -> vbt.Portfolio:
    """``vectorbt.Portfolio`` of the same fills, prices and cash.

    `bars` are those that were traded, `book` the orders as the kernels lay them out, whose numbers of bars are `begin`
    higher than those of `bars`.

    Order records, not signals, are handed over, so that two orders on one bar survive. vectorbt knows no funding:
    where there was any, its equity differs by what was paid (metric ``funding``). Its drawdown begins at the first
    bar's value, ours at the starting cash, and its ratios take the bars' own number of periods per year.
    """
    records = np.zeros(len(book), order_dt)
    records["id"] = np.arange(len(book))
    records["idx"] = book[:, ac.ORDER_BAR].astype(np.int64) - begin
    records["size"] = book[:, ac.ORDER_SIZE]
    records["price"] = book[:, ac.ORDER_PRICE]
    records["fees"] = book[:, ac.ORDER_FEE]
    records["side"] = np.where(book[:, ac.ORDER_SIDE] > 0, OrderSide.Buy, OrderSide.Sell)
    index = pd.DatetimeIndex(bars.timestamp, tz="UTC")
    freq = pd.Timedelta(timeframe_us(bars.timeframe), "us")
    name = bars.symbol or "close"
    wrapper = ArrayWrapper(index=index, columns=pd.Index([name]), ndim=1, freq=freq)
    return vbt.Portfolio(
        wrapper,
        pd.Series(np.array(bars.close), index=index, name=name),
        records,
        np.zeros(0, log_dt),
        cash,
        False,
    )
