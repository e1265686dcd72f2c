"""The account of a portfolio of sleeves: moves of capital with their costs, and the profit of each sleeve."""

from __future__ import annotations

import math
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
    cuts : list of int, rows before whose bars capital was taken out because the gross exposure was above its limit
    ruined : int, bar at whose close nothing was left; -1 if that did not happen
    """

    equity: FloatArray
    capital: FloatArray
    profit: FloatArray
    weights: list[tuple[int, FloatArray]]
    costs: FloatArray
    cuts: list[int]
    ruined: int


def run_account(
    sleeves: Sleeves, rows: list[int], weigh: Callable[[int], FloatArray], cash: float, max_gross: float = math.inf
) -> Account:
    """Rebalance capital between sleeves before the bars of `rows`.

    Parameters
    ----------
    sleeves : Sleeves
    rows : ascending, the first is 0
    weigh : callable
        From a row to weights, at least 0 and at most 1 in sum; the rest is cash.
    cash : float
    max_gross : float
        Limit of the gross exposure (notional of all sleeves over the equity). Where it is above that at a close, all
        sleeves are cut by the same factor before the next bar, and stay so until the next moment of `rows`.

    Notes
    -----
    Moving capital into or out of a sleeve trades the same share of its position: it costs `Sleeves.cost` times the
    capital moved times the sleeve's exposure. A walk-forward is flat between two folds, so at the start of a fold
    only the sleeve itself trades. After ruin no capital is moved, and the equity stays constant.
    """
    n, k = sleeves.value.shape
    capital, profit = np.zeros((n, k)), np.zeros((n, k))
    spent = np.zeros(k)
    equity = np.empty(n)
    before = np.concatenate((np.ones((1, k)), sleeves.value[:-1]))
    held = np.concatenate((np.zeros((1, k)), sleeves.exposure[:-1]))
    now, free = np.zeros(k), float(cash)
    used: list[tuple[int, FloatArray]] = []
    cuts: list[int] = []
    ruined = -1
    moments = dict.fromkeys(rows, 1.0)
    edges = [*rows[1:], n]
    begin = rows[0]
    factor = 1.0
    while begin < n:
        end = next(edge for edge in edges if edge > begin)
        fees = np.zeros(k)
        total = free + float(now.sum())
        if ruined < 0:
            dead = before[begin] <= 0  # what a sleeve owes stays where it is
            wished = weigh(begin) if begin in moments else now * factor / total
            weights = np.where(dead, 0.0, wished)
            wanted = np.where(dead, now, weights * total)
            fees = np.where(dead, 0.0, sleeves.cost * np.abs(wanted - now) * np.abs(held[begin]))
            free = total - float(wanted.sum()) - float(fees.sum())
            now = wanted
            used.append((begin, weights))
            spent += fees
        end, factor = _until_cut(sleeves, now, free, before[begin], begin, end, max_gross if ruined < 0 else math.inf)
        if factor < 1.0:
            cuts.append(end)
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
        begin = end
    return Account(equity, capital, profit, used, spent, cuts, ruined)


def _until_cut(
    sleeves: Sleeves, capital: FloatArray, free: float, before: FloatArray, begin: int, end: int, limit: float
) -> tuple[int, float]:
    """Row at which the gross exposure of a stretch is to be cut, and by which factor; the end and 1 if it is not."""
    if limit == math.inf:
        return end, 1.0
    value = sleeves.value[begin : end - 1]
    held = capital * np.divide(value, before, out=np.ones_like(value), where=before > 0)
    equity = free + held.sum(axis=1)
    gross = (np.abs(held) * np.abs(sleeves.exposure[begin : end - 1])).sum(axis=1)
    above = np.flatnonzero((gross > limit * equity * (1 + 1e-9)) & (equity > 0))
    if not len(above):
        return end, 1.0
    first = int(above[0])
    return begin + first + 1, float(limit * equity[first] / gross[first])
