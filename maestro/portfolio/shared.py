"""One account for several series: target shares of the whole equity, traded at each bar's price, with costs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import SettingsError
from maestro.typing import FloatArray


class SharedAccount(NamedTuple):
    """What one account did.

    Attributes
    ----------
    equity : float64[n]
        At each bar's close [currency].
    units : float64[n, k]
        Held at each bar's close.
    cash : float64[n]
    fees : float64[k]
        Paid for each series.
    profit : float64[n, k]
        What each series added to the equity in each bar, costs included; rows add up to the change in equity.
    scaled : int
        Bars in which purchases were cut in proportion, because cash did not suffice.
    ruined : int
        Bar at whose close the equity was not above 0: everything is closed there, with costs, and nothing follows;
        -1 where that did not happen.
    """

    equity: FloatArray
    units: FloatArray
    cash: FloatArray
    fees: FloatArray
    profit: FloatArray
    scaled: int
    ruined: int


def run_shared(
    price: FloatArray, close: FloatArray, targets: FloatArray, *, cash: float, fee: float = 0.0, slippage: float = 0.0
) -> SharedAccount:
    """Trade several series from one account.

    At each bar the equity is valued at the order prices; every series with a target is brought to that share of it,
    sales first. Where the purchases of a bar cost more than the cash, all of them are cut by the same factor, so that
    the order of the columns never matters.

    Parameters
    ----------
    price : float64[n, k]
        Prices at which orders fill (opens, say); NaN where a series does not trade: its position stays.
    close : float64[n, k]
        Prices at which positions are valued; NaN keeps the last one.
    targets : float64[n, k]
        Share of the equity, negative is short; NaN leaves the position as it is.
    cash : float
    fee, slippage : float
        Fractions, per side.

    Raises
    ------
    SettingsError
        Arrays of other shapes, or a cash that is not above 0.
    """
    arrays = [np.ascontiguousarray(a, np.float64) for a in (price, close, targets)]
    if any(a.ndim != 2 or a.shape != arrays[0].shape for a in arrays):
        raise SettingsError(
            f"prices and targets have shapes {', '.join(str(a.shape) for a in arrays)}; give equal ones."
        )
    if not 0 < cash < np.inf:
        raise SettingsError(f"cash={cash!r} is not an amount above 0.")
    if np.isinf(arrays[2]).any():
        raise SettingsError("targets hold infinite values; give shares of the equity, or NaN to leave a position.")
    n, k = arrays[0].shape
    equity, money = np.empty(n), np.empty(n)
    units, profit = np.empty((n, k)), np.empty((n, k))
    fees = np.zeros(k)
    at, mark, share = arrays
    scaled, ruined = _shared(
        at, mark, share, float(cash), float(fee), float(slippage), equity, units, money, fees, profit
    )
    return SharedAccount(equity, units, money, fees, profit, int(scaled), int(ruined))


@njit(cache=True, nogil=True)
def _shared(
    price: Any, close: Any, targets: Any, cash: float, fee: float, slippage: float, equity: Any, units: Any,
    money: Any, fees: Any, profit: Any,
) -> tuple[int, int]:  # fmt: skip
    n, k = price.shape
    held = np.zeros(k)
    last = np.zeros(k)
    order = np.zeros(k)
    scaled, ruined = 0, -1
    for t in range(n):
        value = cash
        for i in range(k):
            profit[t, i] = 0.0
            now = price[t, i] if not np.isnan(price[t, i]) else last[i]
            profit[t, i] += held[i] * (now - last[i])
            value += held[i] * now
        # What each series should hold; sales at once, purchases when their sum is known.
        spent = 0.0
        for i in range(k):
            order[i] = 0.0
            if ruined >= 0 or np.isnan(targets[t, i]) or np.isnan(price[t, i]) or value <= 0.0:
                continue
            order[i] = targets[t, i] * value / price[t, i] - held[i]
            if order[i] < 0.0:
                fill = price[t, i] * (1.0 - slippage)
                paid = -order[i] * fill * fee
                cash += -order[i] * fill - paid
                fees[i] += paid
                profit[t, i] += order[i] * (price[t, i] - fill) - paid
                held[i] += order[i]
            else:
                spent += order[i] * price[t, i] * (1.0 + slippage) * (1.0 + fee)
        factor = 1.0
        if spent > 0.0 and spent > cash:
            factor = max(cash, 0.0) / spent
            scaled += 1
        for i in range(k):
            if order[i] > 0.0:
                bought = order[i] * factor
                fill = price[t, i] * (1.0 + slippage)
                paid = bought * fill * fee
                cash -= bought * fill + paid
                fees[i] += paid
                profit[t, i] += bought * (price[t, i] - fill) - paid
                held[i] += bought
        total = cash
        for i in range(k):
            now = price[t, i] if not np.isnan(price[t, i]) else last[i]
            mark = close[t, i] if not np.isnan(close[t, i]) else now
            profit[t, i] += held[i] * (mark - now)
            last[i] = mark
            units[t, i] = held[i]
            total += held[i] * mark
        if total <= 0.0 and ruined < 0:
            ruined = t
            for i in range(k):
                fill = last[i] * (1.0 - slippage if held[i] > 0.0 else 1.0 + slippage)
                paid = abs(held[i]) * fill * fee
                cash += held[i] * fill - paid
                fees[i] += paid
                profit[t, i] += held[i] * (fill - last[i]) - paid
                held[i] = 0.0
                units[t, i] = 0.0
            total = cash
        equity[t] = total
        money[t] = cash
    return scaled, ruined
