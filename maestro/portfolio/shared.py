"""One account for several series: target shares of the whole equity, traded at each bar's price, with costs."""

from __future__ import annotations

import math
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
        Bar at whose close the equity was not above 0, or not above the maintenance margin: everything is closed
        there, with costs, and nothing follows; -1 if that did not happen.
    limited : int
        Bars in which a target was cut by a limit.
    liquidated : bool
        Whether everything was closed at the maintenance margin while there was still equity.
    """

    equity: FloatArray
    units: FloatArray
    cash: FloatArray
    fees: FloatArray
    profit: FloatArray
    scaled: int
    ruined: int
    limited: int = 0
    liquidated: bool = False


def run_shared(
    price: FloatArray, close: FloatArray, targets: FloatArray, *, cash: float, fee: float = 0.0, slippage: float = 0.0,
    max_position: float = math.inf, max_gross: float = math.inf, maintenance: float = 0.0,
) -> SharedAccount:  # fmt: skip
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
    max_position : float
        Largest share of the equity, long or short, that a target may ask for; a larger one is cut to it.
    max_gross : float
        Largest sum of the absolute positions over the equity. If the targets of a bar, with the positions that stay,
        ask for more, all targets of the bar are cut by the same factor; positions that stay are left alone.
    maintenance : float
        Cross margin of perpetuals, a share of the notional such as 0.05: if the equity at a close is not above that
        share of all positions, the venue closes everything. 0 is none.

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
    if not max_position > 0 or not max_gross > 0 or not 0 <= maintenance < 1:
        raise SettingsError(
            f"max_position={max_position!r}, max_gross={max_gross!r}, maintenance={maintenance!r}: limits are above 0, "
            "and the margin is a share from 0 to below 1."
        )
    n, k = arrays[0].shape
    equity, money = np.empty(n), np.empty(n)
    units, profit = np.empty((n, k)), np.empty((n, k))
    fees = np.zeros(k)
    at, mark, asked = arrays
    share = np.clip(asked, -max_position, max_position)
    cut = (np.abs(asked) > max_position).any(axis=1)
    scaled, ruined, liquidated = _shared(
        at, mark, share, float(cash), float(fee), float(slippage), float(max_gross), float(maintenance), equity, units,
        money, fees, profit, cut,
    )  # fmt: skip
    return SharedAccount(equity, units, money, fees, profit, int(scaled), int(ruined), int(cut.sum()), bool(liquidated))


@njit(cache=True, nogil=True)
def _shared(
    price: Any, close: Any, targets: Any, cash: float, fee: float, slippage: float, most: float, maintenance: float,
    equity: Any, units: Any, money: Any, fees: Any, profit: Any, cut: Any,
) -> tuple[int, int, bool]:  # fmt: skip
    n, k = price.shape
    held = np.zeros(k)
    last = np.zeros(k)
    order = np.zeros(k)
    scaled, ruined, liquidated = 0, -1, False
    for t in range(n):
        value = cash
        for i in range(k):
            profit[t, i] = 0.0
            now = price[t, i] if not np.isnan(price[t, i]) else last[i]
            profit[t, i] += held[i] * (now - last[i])
            value += held[i] * now
        # What each series should hold; sales at once, purchases when their sum is known.
        spent = 0.0
        kept, wanted = 0.0, 0.0
        for i in range(k):
            if np.isnan(targets[t, i]) or np.isnan(price[t, i]):
                kept += abs(held[i]) * (price[t, i] if not np.isnan(price[t, i]) else last[i])
            else:
                wanted += abs(targets[t, i]) * value
        within = 1.0
        if ruined < 0 and wanted > 0.0 and wanted + kept > most * value * (1.0 + 1e-12):
            within = max(most * value - kept, 0.0) / wanted
            cut[t] = True
        for i in range(k):
            order[i] = 0.0
            if ruined >= 0 or np.isnan(targets[t, i]) or np.isnan(price[t, i]) or value <= 0.0:
                continue
            order[i] = within * targets[t, i] * value / price[t, i] - held[i]
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
        total, gross = cash, 0.0
        for i in range(k):
            now = price[t, i] if not np.isnan(price[t, i]) else last[i]
            mark = close[t, i] if not np.isnan(close[t, i]) else now
            profit[t, i] += held[i] * (mark - now)
            last[i] = mark
            units[t, i] = held[i]
            total += held[i] * mark
            gross += abs(held[i]) * mark
        if total <= maintenance * gross and (total <= 0.0 or maintenance > 0.0) and ruined < 0:
            ruined = t
            liquidated = total > 0.0
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
    return scaled, ruined, liquidated
