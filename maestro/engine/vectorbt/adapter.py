"""The engine ``vectorbt``: its features, and a run in it; vectorbt is imported by the run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maestro.engine.limits import common_refusals, is_grid
from maestro.engine.protocol import Engine, EngineRun, Task
from maestro.errors import MissingExtraError, SettingsError
from maestro.strategies.signals import Orders

_RUIN = (
    "engine='vectorbt': the account is ruined {where}, and vectorbt, which cannot borrow, cannot close what costs more "
    "than the cash. Use engine='fast' or engine='backtrader', a smaller sizing, or bars that end before."
)


class VectorbtEngine(Engine):
    """vectorbt trades the same signals with its own order logic."""

    name = "vectorbt"
    extra = "vectorbt"
    abilities = {
        "trades": "the signals", "stops, brackets, grid": "yes", "own limit orders": "no", "funding": "no",
        "max_exposure above 1": "no", "fill at the close": "without stops, grids", "windows of folds": "no",
        "ruin": "no",
    }  # fmt: skip

    def refusals(self, task: Task) -> Iterator[str]:
        """Features of a task that vectorbt does not support."""
        signals, sizing = task.signals, task.sizing
        yield from common_refusals(task)
        protected = any(x is not None for x in (signals.stop, signals.target, signals.trail, signals.bracket))
        if task.fill == "close" and (is_grid(signals) or protected):
            yield "fill='close' with stops, targets, trails or a grid"
        if task.fill == "close" and sizing.kind in ("cash", "units") and sizing.max_exposure < 1:
            yield "fill='close' with max_exposure below 1"
        rates = task.bars.funding_rate
        if rates is not None and bool(np.nan_to_num(rates).any()):
            yield "funding, because only orders change its cash"

    def instead(self, task: Task) -> str:
        """What to use instead for a task that vectorbt refuses."""
        if task.bars.funding_rate is not None and task.fill != "close" and not isinstance(task.signals, Orders):
            return "Use engine='fast' or engine='backtrader', or give bars without funding_rate."
        return super().instead(task)

    def run(self, task: Task) -> EngineRun:
        """Simulate a task in vectorbt."""
        try:
            from maestro.engine.vectorbt import running
        except ImportError as error:
            raise MissingExtraError("vectorbt", "vectorbt") from error
        try:
            portfolio, fills, equity, position, cuts = running.run(
                task.bars, task.signals, task.costs, task.sizing, task.cash, task.fill == "close"
            )
        except Exception as error:
            if type(error).__name__ == "RejectedOrderError":
                raise SettingsError(_RUIN.format(where=f"({error})")) from error
            raise
        if (equity <= 0).any():
            raise SettingsError(_RUIN.format(where=f"at bar {int(np.argmax(equity <= 0))}"))
        return EngineRun(fills, equity, position, portfolio, cuts=cuts)


ENGINE = VectorbtEngine()
