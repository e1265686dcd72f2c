"""The engine ``backtrader``: its features, and a run in it; backtrader is imported by the run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maestro.engine.limits import common_refusals
from maestro.engine.protocol import Engine, EngineRun, Task
from maestro.errors import MissingExtraError


class BacktraderEngine(Engine):
    """backtrader trades the built-in rules, reimplemented bar by bar, with its own broker.

    Options
    -------
    plain : frozenset of str
        Names in `trading.DEFAULT_SETTINGS` for which backtrader's own default is kept.
    """

    name = "backtrader"
    alias = "v1"
    extra = "legacy"
    abilities = {
        "trades": "the rules, bar by bar", "stops, brackets, grid": "yes", "own limit orders": "no", "funding": "yes",
        "max_exposure above 1": "no", "fill at the close": "no", "windows of folds": "no", "ruin": "yes",
    }  # fmt: skip

    def refusals(self, task: Task) -> Iterator[str]:
        """Features of a task that backtrader does not support."""
        yield from common_refusals(task)
        if task.fill == "close":
            yield "fill='close'"

    def run(self, task: Task) -> EngineRun:
        """Simulate a task in backtrader."""
        try:
            from maestro.engine.backtrader import running
            from maestro.strategies import STRATEGIES
        except ImportError as error:
            raise MissingExtraError("backtrader", "legacy") from error
        strategy = task.strategy
        built_in = strategy is not None and STRATEGIES.get(strategy.name) is type(strategy)
        diary, analyzers = running.run(
            task.bars, strategy if built_in else None, task.signals, task.costs, task.sizing, task.cash, **task.options
        )
        notes = []
        if not built_in:
            notes.append("backtrader traded the given signals: only the built-in rules are written for it.")
        if diary.refused:
            notes.append(f"backtrader's broker refused {diary.refused} orders that cost more than the cash.")
        equity, position = np.array(diary.equity), np.array(diary.position)
        position[abs(position) < 1e-12 * max(abs(position).max(), 1e-300)] = 0.0
        return EngineRun(
            diary.fills, equity, position, analyzers, tuple(diary.payments), cuts=diary.cuts, notes=tuple(notes)
        )


ENGINE = BacktraderEngine()
