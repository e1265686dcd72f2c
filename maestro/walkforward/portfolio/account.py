"""The account of a portfolio of sleeves: capital moves at rebalancing, with costs, and what each sleeve adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from maestro.typing import FloatArray
from maestro.walkforward.portfolio.sleeves import Sleeves


class Account(NamedTuple):
    """Course of a portfolio.

    Attributes
    ----------
    equity : float64[n], at each close [currency]
    capital : float64[n, k], in each sleeve at each close
    profit : float64[n, k], added by each sleeve in each bar, costs of moving capital included
    weights : list of (row, float64[k]), at the open of the bar of that row
    costs : float64[k], of moving capital
    ruined : int, bar at whose close nothing was left; -1 if that did not happen
    """

    equity: FloatArray
    capital: FloatArray
    profit: FloatArray
    weights: list[tuple[int, FloatArray]]
    costs: FloatArray
    ruined: int


def run_account(sleeves: Sleeves, rows: list[int], weigh: Callable[[int], FloatArray], cash: float) -> Account:
    """Move capital between sleeves before the bars of `rows` and let it work in between.

    Parameters
    ----------
    sleeves : Sleeves
    rows : ascending, the first is 0
    weigh : callable
        From a row to weights, at least 0 and at most 1 in sum; the rest is cash.
    cash : float

    Notes
    -----
    Moving capital into or out of a sleeve trades the same share of its position: it costs `Sleeves.cost` times the
    capital moved times the sleeve's exposure. A walk-forward is flat between two folds, so at the begin of a fold
    nothing is traded but by the sleeve itself. After ruin nothing is moved, and the equity stays.
    """
    n, k = sleeves.value.shape
    capital, profit = np.zeros((n, k)), np.zeros((n, k))
    spent = np.zeros(k)
    equity = np.empty(n)
    before = np.concatenate((np.ones((1, k)), sleeves.value[:-1]))
    held = np.concatenate((np.zeros((1, k)), sleeves.exposure[:-1]))
    now, free = np.zeros(k), float(cash)
    used: list[tuple[int, FloatArray]] = []
    ruined = -1
    for begin, end in zip(rows, [*rows[1:], n], strict=True):
        fees = np.zeros(k)
        total = free + float(now.sum())
        if ruined < 0:
            dead = before[begin] <= 0  # what a sleeve owes stays where it is
            weights = np.where(dead, 0.0, weigh(begin))
            wanted = np.where(dead, now, weights * total)
            fees = np.where(dead, 0.0, sleeves.cost * np.abs(wanted - now) * np.abs(held[begin]))
            free = total - float(wanted.sum()) - float(fees.sum())
            now = wanted
            used.append((begin, weights))
            spent += fees
        moved = np.divide(
            sleeves.value[begin:end], before[begin], out=np.ones((end - begin, k)), where=before[begin] > 0
        )
        capital[begin:end] = now * moved
        profit[begin:end] = np.diff(np.concatenate((now[None, :], capital[begin:end])), axis=0)
        profit[begin] -= fees
        equity[begin:end] = free + capital[begin:end].sum(axis=1)
        low = np.flatnonzero(equity[begin:end] <= 0)
        if len(low) and ruined < 0:
            ruined = begin + int(low[0])
            stop = slice(ruined + 1, None)
            capital[stop], profit[stop], equity[stop] = 0.0, 0.0, equity[ruined]
            break
        now = capital[end - 1].copy()
    return Account(equity, capital, profit, used, spent, ruined)
