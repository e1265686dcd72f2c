"""One trial of a search, and the runner that evaluates parameter sets and keeps their trials."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from maestro import metrics as m
from maestro.errors import MaestroError, RunCancelled, WarmupError
from maestro.search.space import Space
from maestro.strategies.base import warmup_excess
from maestro.typing import FloatArray, Parameters

DIGITS = 12
"""Significant digits of a score: sums differ in the last digits between CPUs, decisions must not."""

State: TypeAlias = Literal["complete", "infeasible", "undefined", "failed"]
EVALUATED: tuple[State, ...] = ("complete", "undefined")
"""States of trials that were evaluated: those that the deflated Sharpe ratio counts."""
Evaluate: TypeAlias = Callable[[Parameters], FloatArray]
Score: TypeAlias = Callable[[FloatArray], float]
Evaluated: TypeAlias = tuple[State, FloatArray | None, str | None, float]


@dataclass(slots=True)
class Trial:
    """One parameter set and what became of it.

    Attributes
    ----------
    number : int
        From 0, in order of proposal.
    params : dict
        All parameters of the strategy, including the fixed ones.
    state : str
        ``complete``; ``infeasible``: breaks a constraint, or needs a longer warm-up than the bars allow, and was not
        simulated; ``undefined``: the score is not a number, or the trial was pruned; ``failed``: the evaluation
        raised an error.
    metrics : float64 or None
        Values of `maestro.metrics.NAMES`, None if there are none.
    error : str or None
        Why it failed, was pruned, or does not fit into the bars.
    score : float
        Objective, rounded to 12 significant digits, larger is better; NaN unless complete.
    """

    number: int
    params: Parameters
    state: State
    metrics: FloatArray | None = None
    error: str | None = None
    score: float = math.nan


def sharpe_ratio(metrics: FloatArray) -> float:
    """Default score: the Sharpe ratio."""
    return float(metrics[m.SHARPE])


def round_score(value: float) -> float:
    """Return a number to 12 significant digits; NaN and infinities as they are."""
    return float(f"{value:.{DIGITS}g}")


class TrialRunner:
    """Evaluates the parameter sets of one search and keeps the trials."""

    def __init__(
        self,
        evaluate: Evaluate,
        space: Space,
        score: Score,
        budget: int,
        bars: int | None = None,
        cancelled: Callable[[], bool] | None = None,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        self.space, self.budget, self.score = space, budget, score
        self.finished: list[Trial] = []
        self._bars, self._spare = bars, budget
        self._evaluate, self._cancelled, self._on_trial = evaluate, cancelled, on_trial
        self._known: dict[tuple[float, ...], Evaluated] = {}

    def raise_if_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise RunCancelled(
                f"The search was cancelled after {len(self.finished)} of {self.budget} trials; "
                "run it again to search this fold from its beginning."
            )

    @property
    def full(self) -> bool:
        """Whether the budget is spent."""
        return len(self.finished) >= self.budget

    def evaluate(self, params: Parameters, function: Evaluate | None = None) -> Evaluated:
        """Evaluate a set that breaks no constraint: state, metrics, error and score of its trial."""
        self.raise_if_cancelled()
        try:
            metrics = (function or self._evaluate)(params)
        except RunCancelled:
            raise
        except WarmupError as error:
            return "infeasible", None, str(error), math.nan
        except MaestroError as error:
            return "failed", None, str(error), math.nan
        except Exception as error:  # a strategy is the user's code: whatever it raises is this trial's failure
            return "failed", None, f"{type(error).__name__}: {error}", math.nan
        value = round_score(self.score(metrics))
        return "undefined" if math.isnan(value) else "complete", metrics, None, value

    def excess(self, params: Parameters) -> float:
        """Excess of the warm-up over half of the bars; 0 if it fits (see `warmup_excess`)."""
        return 0.0 if self._bars is None else warmup_excess(self.space.strategy, params, self._bars)

    def may_drop(self) -> bool:
        """Whether one more proposal that does not fit into the bars may be dropped; counts it."""
        self._spare -= 1
        return self._spare >= 0

    def run(self, params: Parameters) -> Trial:
        """Evaluate a set that breaks no constraint, unless an equal one was evaluated before."""
        key = tuple([d.encode(params[d.name]) for d in self.space.dimensions])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.evaluate(params)
        return Trial(len(self.finished), params, *found)

    def keep(self, trial: Trial) -> Trial:
        """Add a finished trial and call the listener."""
        self.finished.append(trial)
        if self._on_trial is not None:
            self._on_trial(trial)
        return trial
