"""Walk-forwards as sleeves on one axis of time: value of one unit of capital in each, aligned by stamps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from maestro.bars import Bars
from maestro.errors import MaestroError, SettingsError
from maestro.metrics.returns import bar_returns
from maestro.typing import BoolArray, FloatArray, IntArray
from maestro.walkforward.plan import Plan
from maestro.walkforward.result import WalkForward

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Sleeves:
    """Sleeves aligned by the stamps at which any of them has a tested bar.

    Attributes
    ----------
    names : tuple of str
    time : int64[n], opens of the bars [µs since 1970, UTC]
    value : float64[n, k]
        Of one unit of capital at each bar's close; constant where a sleeve has no bar, 1 before its first.
    exposure : float64[n, k]
        Notional over the sleeve's capital at each close; 0 where a fold has ended.
    market : float64[n, k]
        As `value`, of buying and holding over the tested bars, without costs.
    there : bool[n, k]
        From a sleeve's first tested bar to its last.
    starts : tuple of int64 arrays, stamps at which the test windows of each sleeve begin
    cost : float64[k], fee and slippage per unit of notional
    ruined : dict of str to float
        Sleeves whose value fell to zero or below, with what they owed, per unit of capital.
    liquidated : dict of str to int
        Of these, the open of the bar in which the venue closed the position [µs].
    """

    names: tuple[str, ...]
    time: IntArray
    value: FloatArray
    exposure: FloatArray
    market: FloatArray
    there: BoolArray
    starts: tuple[IntArray, ...]
    cost: FloatArray
    ruined: dict[str, float]
    liquidated: dict[str, int]


def align(
    runs: Mapping[str, WalkForward], *, shared_debt: bool, maintenance: Mapping[str, float] | None = None
) -> Sleeves:
    """Align walk-forwards.

    Parameters
    ----------
    runs : mapping of name to WalkForward
    shared_debt : bool
        A sleeve that lost more than its capital leaves the debt to the others; else it ends at zero.
    maintenance : mapping of name to float, optional
        Maintenance margin of the sleeves that can be liquidated, see `liquidation`.

    Raises
    ------
    SettingsError
        A walk-forward without a tested bar, or one that can be liquidated and was loaded without its bars.
    """
    stamps = {name: _stamps(name, wf) for name, wf in runs.items()}
    time: IntArray = np.unique(np.concatenate(list(stamps.values())))
    n, k = len(time), len(runs)
    value, exposure, market = np.ones((n, k)), np.zeros((n, k)), np.ones((n, k))
    there = np.zeros((n, k), np.bool_)
    ruined: dict[str, float] = {}
    liquidated: dict[str, int] = {}
    for place, (name, wf) in enumerate(runs.items()):
        rows = np.searchsorted(time, stamps[name])
        own, held = _course(wf)
        closed = liquidation(name, wf, maintenance[name]) if maintenance and name in maintenance else None
        if closed is not None:
            own[closed.row :] = closed.left
            liquidated[name] = int(stamps[name][closed.row])
        broke = np.flatnonzero(own <= 0)
        if len(broke):
            ruined[name] = -float(own[broke[0]])
            own[broke[0] :] = own[broke[0]] if shared_debt else 0.0
            held[broke[0] :] = 0.0
        last = np.searchsorted(rows, np.arange(n), side="right") - 1
        value[:, place] = np.where(last >= 0, own[last], 1.0)
        exposure[:, place] = np.where(last >= 0, held[last], 0.0)
        exposure[rows[-1] + 1 :, place] = 0.0
        holding = wf.equity["benchmark"].to_numpy() / wf.spec.cash
        market[:, place] = np.where(last >= 0, holding[last], 1.0)
        there[rows[0] : rows[-1] + 1, place] = True
    return Sleeves(
        tuple(runs), time, value, exposure, market, there,
        tuple(_us(wf.folds.filter(pl.col("oos_total_return").is_not_null())["test_start"]) for wf in runs.values()),
        np.array([wf.spec.costs.fee + wf.spec.costs.slippage for wf in runs.values()]), ruined, liquidated,
    )  # fmt: skip


def _us(stamps: pl.Series) -> IntArray:
    found: IntArray = stamps.to_physical().to_numpy().astype(np.int64)
    return found


def _stamps(name: str, wf: WalkForward) -> IntArray:
    if not len(wf.equity):
        raise SettingsError(f"{name} has no tested bar (every fold failed), and cannot be a sleeve; leave it out.")
    return _us(wf.equity["timestamp"])


def _course(wf: WalkForward) -> tuple[FloatArray, FloatArray]:
    """Value of one unit of capital, and notional over capital, at each close; a fold ends flat."""
    table, cash = wf.equity, wf.spec.cash
    own = table["equity"].to_numpy() / cash
    growth = table.select(((pl.col("return") + 1.0).cum_prod() * cash).over("fold")).to_series().to_numpy()
    held = np.divide(
        (table["position"] * table["close"]).to_numpy(), growth, out=np.zeros(len(table)), where=growth > 0
    )
    fold = table["fold"].to_numpy()
    held[np.append(fold[1:] != fold[:-1], True)] = 0.0
    return own.copy(), held


class Liquidation(NamedTuple):
    """The first bar in which a venue closes a position, and what is left per unit of capital: 0, or a debt."""

    row: int
    left: float


def liquidation(name: str, wf: WalkForward, maintenance: float) -> Liquidation | None:
    """Where the equity of a walk-forward's account falls to the maintenance margin; None if it never does.

    The venue closes a position when the account has no more than `maintenance` times the notional, at the worst price
    of a bar. The whole margin is lost then, as it is with isolated margin. If the bar opens beyond the price at which
    nothing is left, the account owes the difference. A position at a close counts as held since the open of that bar.

    Worked: a short position of one unit sold at 100 with a capital of 100 and a margin of 5 % is liquidated at
    (100 + 100) / 1.05 = 190.48.

    Raises
    ------
    SettingsError
        A walk-forward that was loaded without its bars, whose highs and lows decide.
    """
    if wf.bars is None:
        raise SettingsError(
            f"{name} was loaded without its bars, whose highs and lows decide on a liquidation; give the result of "
            "walk_forward or walk_forward_many itself (with runs_dir it loads what is there), or leave maintenance out."
        )
    table, cash = wf.equity, float(wf.spec.cash)
    place = np.searchsorted(wf.bars.time, _us(table["timestamp"]))
    units, close = table["position"].to_numpy(), table["close"].to_numpy()
    worst = np.where(units < 0, wf.bars.high[place], wf.bars.low[place])
    account = table.select(((pl.col("return") + 1.0).cum_prod() * cash).over("fold")).to_series().to_numpy()
    at_worst = account - units * (close - worst)
    hit = np.flatnonzero((units != 0) & (at_worst <= maintenance * np.abs(units) * worst))
    if not len(hit):
        return None
    row = int(hit[0])
    at_open = account[row] - units[row] * (close[row] - wf.bars.open[place][row])
    fold = table["fold"].to_numpy()
    begin = int(np.argmax(fold == fold[row]))
    capital = float(table["equity"][begin - 1]) / cash if begin else 1.0
    return Liquidation(row, min(float(at_open) / cash * capital, 0.0))


def training_returns(runs: Mapping[str, WalkForward], at: int) -> tuple[list[str], FloatArray]:
    """Daily returns on training windows of the sleeves that have a fold at a moment [µs]: names, float64[days, names].

    Each sleeve's are those of the parameters that its fold chose, on the training window of that fold. A day on which
    a sleeve has no bar counts as 0.

    Raises
    ------
    SettingsError
        A walk-forward that was loaded without its bars.
    """
    found: dict[str, tuple[IntArray, FloatArray]] = {}
    for name, wf in runs.items():
        fold = fold_at(wf, at)
        if fold is not None:
            found[name] = _trained(name, wf, fold)
    days = np.unique(np.concatenate([np.empty(0, np.int64), *(d for d, _ in found.values())]))
    out = np.zeros((len(days), len(found)))
    for place, (own, values) in enumerate(found.values()):
        out[np.searchsorted(days, own), place] = values
    return list(found), out


def fold_at(wf: WalkForward, at: int) -> int | None:
    """The fold that has begun last at a moment, if it gave a result and has not ended."""
    rows = wf.folds.filter(pl.col("oos_total_return").is_not_null())
    starts, ends = _us(rows["test_start"]), _us(rows["test_end"])
    place = int(np.searchsorted(starts, at, side="right")) - 1
    return int(rows["fold"][place]) if place >= 0 and at <= ends[place] else None


def _trained(name: str, wf: WalkForward, fold: int) -> tuple[IntArray, FloatArray]:
    """Daily returns of a fold's choice on its training window; simulated once for each run and fold."""
    if wf.bars is None or wf.plan is None:
        raise SettingsError(
            f"{name} was loaded without its bars, on which its training returns are simulated; give the result of "
            "walk_forward or walk_forward_many itself (with runs_dir it loads what is there), or weights='equal'."
        )
    whole, plan = wf.bars, wf.plan
    return whole.cached(("training", wf.id, fold), lambda: _simulated(wf, whole, plan, fold))


def _simulated(wf: WalkForward, whole: Bars, plan: Plan, fold: int) -> tuple[IntArray, FloatArray]:
    row = wf.folds.filter(fold=fold).row(0, named=True)
    first, last = (int(_us(wf.folds.filter(fold=fold)[name])[0]) for name in ("train_start", "train_end"))
    begin, end = np.searchsorted(whole.time, [first, last + 1])
    bars = whole[int(begin) : int(end)]
    try:
        params = {name: row[name] for name in plan.space.parameters}
        equity = plan.simulator(bars).record(plan.signals(params, bars)).equity
    except MaestroError as error:
        raise SettingsError(f"the choice of fold {fold} of run {wf.id} cannot be simulated again: {error}") from error
    days, start = np.unique(bars.time // DAY_US, return_index=True)
    return days, np.add.reduceat(bar_returns(equity, plan.cash), start)
