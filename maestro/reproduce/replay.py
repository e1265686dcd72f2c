"""The out-of-sample stretch of a walk-forward again, with other parameters or costs and without a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from maestro import metrics as m
from maestro.bars import Bars
from maestro.engine import Costs, Simulator
from maestro.errors import MaestroError
from maestro.search.space import Space
from maestro.typing import Parameters
from maestro.walkforward.fold import FoldResult, Plan
from maestro.walkforward.splitters import Window
from maestro.walkforward.tables import fold_equity, stitch

COSTLIEST = 16.0
"""Multiple of the costs up to which a break-even is looked for."""
_MOVED = 0.1
"""A neighbour's parameter is a tenth larger or smaller, or one step."""


def replayed(
    plan: Plan, bars: Bars, windows: Sequence[Window], sets: Sequence[Parameters | None], costs: Costs | None = None
) -> dict[str, float]:
    """Metrics of the test windows, chained, with one parameter set a fold; a fold without one (None) is left out.

    Raises
    ------
    MaestroError
        The strategy failed on a window.
    """
    parts = []
    for fold, (window, params) in enumerate(zip(windows, sets, strict=True)):
        if params is None:
            continue
        history = bars[window.train_start : window.test_stop]
        inside = (window.test_start - window.train_start, window.test_stop - window.train_start)
        simulator = Simulator(
            history, costs=costs or plan.costs, sizing=plan.sizing, cash=plan.cash, fill=plan.fill, window=inside,
            close_at_end=True,
        )  # fmt: skip
        try:
            books = simulator.record(plan.strategy(**params).evaluate(history))
        except MaestroError:
            raise
        except Exception as error:  # a strategy is the user's code
            raise MaestroError(
                f"{plan.strategy.__name__} failed on fold {fold}: {type(error).__name__}: {error}"
            ) from error
        result = FoldResult(fold, window, pl.DataFrame(), equity=books.equity, position=books.position)
        parts.append(fold_equity(result, bars, plan.cash))
    equity = stitch(parts, plan.cash)
    return m.from_equity(equity["equity"].to_numpy(), plan.cash, periods_per_year=bars.periods_per_year)


def break_even(plan: Plan, bars: Bars, windows: Sequence[Window], sets: Sequence[Parameters | None]) -> float:
    """Multiple of fee and slippage at which the out-of-sample return is zero; infinite where it is above `COSTLIEST`.

    0 where the rule loses before any costs. The larger costs also change what sizes can be paid, nothing else.
    """

    def earns(multiple: float) -> bool:
        return replayed(plan, bars, windows, sets, _times(plan.costs, multiple))["total_return"] > 0

    low, high = 0.0, COSTLIEST
    if not earns(low):
        return 0.0
    if earns(high):
        return float("inf")
    while high - low > 0.02 * max(high, 0.5):
        middle = (low + high) / 2.0
        low, high = (middle, high) if earns(middle) else (low, middle)
    return (low + high) / 2.0


def _times(costs: Costs, multiple: float) -> Costs:
    return replace(costs, fee=min(costs.fee * multiple, 0.49), slippage=min(costs.slippage * multiple, 0.49))


def neighbours(space: Space, sets: Sequence[Parameters | None]) -> list[tuple[str, list[Parameters | None]]]:
    """Names and sets of what lies next to the choices: each searched number a tenth larger or smaller, one at a time.

    Where that leaves the searched range or breaks a constraint, the fold keeps its choice; a direction in which no
    fold has a neighbour is left out. Options (a choice of words, yes or no) have no neighbours.
    """
    found = []
    for d in space.dimensions:
        if d.options:
            continue
        for sign in (-1, 1):
            moved: list[Parameters | None] = []
            changed = 0
            for params in sets:
                other = None if params is None else _moved(space, d.name, params, sign)
                changed += other is not None
                moved.append(params if other is None else other)
            if changed:
                found.append((f"{d.name} {'lower' if sign < 0 else 'higher'}", moved))
    return found


def _moved(space: Space, name: str, params: Parameters, sign: int) -> Parameters | None:
    d = next(one for one in space.dimensions if one.name == name)
    code = d.encode(params[name])
    step = d.step or 0.0
    distance = max(abs(code) * _MOVED, step)
    if step:
        distance = round(distance / step) * step
    wanted = code + sign * distance
    if not d.code_low - 1e-12 <= wanted <= d.code_high + 1e-12 or distance == 0:
        return None
    other = {**params, name: d.decode(round(wanted) if d.kind == "int" else wanted)}
    return other if space.feasible(other) else None
