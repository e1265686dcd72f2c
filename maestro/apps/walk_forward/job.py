"""A submitted walk-forward: settings, bars and strategy, kept with its result."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from maestro._core import formatting as formats
from maestro._core.formatting import duration
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.bars import Bars
from maestro.engine import Costs, Sizing
from maestro.strategies import is_named
from maestro.walkforward.run import plan


def arguments(state: WalkForwardState) -> dict[str, Any]:
    """Arguments of `ms.walk_forward` that determine the result, besides bars and strategy."""
    return {
        "splitter": state.splitter, "search": state.search, "trials": state.trials, "select": state.select,
        "seed": state.seed, "params": state.params, "space": state.ranges(), "sizing": Sizing.of(state.sizing),
        "cash": state.cash, "costs": Costs(fee=state.fee, slippage=state.slippage), "fill": state.fill,
    }  # fmt: skip


class Job:
    """Copies the settings, so that later changes of the controls do not reach it.

    Attributes
    ----------
    state : WalkForwardState
        A copy, from which the run is started.
    bars : Bars
    strategy : type of Strategy
    own : type of Strategy or None
        The strategy if it is user-defined.
    id : str
        Id of the run, known before it is computed. Two jobs with one id have the same result.
    folds : int

    Raises
    ------
    MaestroError
        What `ms.walk_forward` refuses before the first fold.
    """

    def __init__(self, state: WalkForwardState, bars: Bars) -> None:
        self.state = type(state)(own=state.own, **state.settings())
        self.bars = bars
        self.state.pin()
        self.strategy = self.state.chosen()
        self.own = None if is_named(self.strategy) else self.strategy
        self._planned = plan(bars, self.strategy, **arguments(self.state))
        self.id, self.folds = self._planned.id, self._planned.folds

    @cached_property
    def seconds(self) -> float:
        """Estimated time on one core: one parameter set is evaluated, and its time is multiplied."""
        return self._planned.estimate()

    @property
    def effort(self) -> str:
        """Folds and estimated time: ``150 folds, about 10 s``."""
        return self.effort_of(self.folds)

    def effort_of(self, folds: int) -> str:
        """Estimated time of some of the folds: ``7 folds, about 5 s``."""
        seconds = self.seconds * folds / self.folds
        took = "under 1 s" if seconds < 1 else f"about {duration(seconds)}"
        return f"{formats.plural(folds, 'fold')}, {took}"

    @property
    def title(self) -> str:
        """Rule, series, range, windows and search of the run."""
        state, bars = self.state, self.bars
        span = f"{formats.moment(bars.start)} to {formats.moment(bars.end)}"
        return (
            f"{self.strategy.__name__} on {bars.name}, {span}; windows {state.splitter}; {state.search}, "
            f"{formats.plural(state.trials, 'trial')} per fold, seed {state.seed}"
        )
