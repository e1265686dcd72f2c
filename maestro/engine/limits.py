"""Features of a backtest that neither vectorbt nor backtrader supports."""

from __future__ import annotations

from collections.abc import Iterator

from maestro.engine.protocol import Task
from maestro.strategies.signals import Orders, Signals


def common_refusals(task: Task) -> Iterator[str]:
    """Yield the features of a task that neither engine supports, in words."""
    grid = is_grid(task.signals)
    if isinstance(task.signals, Orders) and not grid:
        yield "limit orders of a strategy's own step (of the built-in strategies it has the grid)"
    if grid and task.sizing.kind == "volatility":
        yield "a grid with volatility sizing"
    if task.sizing.max_exposure > 1:
        yield f"max_exposure={task.sizing.max_exposure:g}, because it cannot borrow"


def is_grid(signals: Signals) -> bool:
    """Whether signals are the orders of the built-in grid."""
    if not isinstance(signals, Orders):
        return False
    from maestro.strategies.builtin.grid import grid_step

    return signals.step is grid_step
