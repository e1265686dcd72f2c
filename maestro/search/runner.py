"""How one fold is searched: which sets are tried in turn, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from maestro import metrics as m
from maestro.errors import MaestroError, RunCancelled, SettingsError, nearest
from maestro.search.sampling import METHODS as BATCHES
from maestro.search.sampling import propose_all, visits
from maestro.search.space import Space
from maestro.search.tpe import Tpe, check_seed
from maestro.typing import FloatArray, Parameters

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

METHODS = ("tpe", *BATCHES)
"""Searches by name; an Optuna sampler object is the other way."""
DIGITS = 12
"""Significant digits of a score: sums differ in the last digits between CPUs, decisions must not."""

State: TypeAlias = Literal["complete", "infeasible", "undefined", "failed"]
Evaluate: TypeAlias = Callable[[Parameters], FloatArray]
Score: TypeAlias = Callable[[FloatArray], float]
Outcome: TypeAlias = tuple[State, FloatArray | None, str | None, float]


@dataclass(slots=True)
class Trial:
    """One parameter set and what became of it.

    Attributes
    ----------
    number : int
        From 0, in order of proposal.
    params : dict
        All parameters of the strategy, the fixed ones too.
    state : str
        ``complete``; ``infeasible``: breaks a constraint, not evaluated; ``undefined``: the score is not a number,
        or the trial was pruned; ``failed``: the evaluation raised.
    metrics : float64 or None
        Values of `maestro.metrics.NAMES`, None where there are none.
    error : str or None
        Why it failed or was pruned.
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
    """Score by default: the Sharpe ratio."""
    return float(metrics[m.SHARPE])


def round_score(value: float) -> float:
    """Return a number to 12 significant digits; NaN and infinities as they are."""
    return float(f"{value:.{DIGITS}g}")


def search(
    evaluate: Evaluate,
    space: Space,
    *,
    method: str | BaseSampler | Callable[[int], BaseSampler] = "tpe",
    trials: int = 100,
    seed: int = 0,
    score: Score = sharpe_ratio,
    first: Sequence[Parameters] = (),
    defaults: bool = True,
    cancelled: Callable[[], bool] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    pruner: BasePruner | None = None,
    stages: Sequence[Evaluate] = (),
) -> list[Trial]:
    """Search a space on one stretch of data.

    Parameters
    ----------
    evaluate : callable
        Complete parameters to a metrics vector. An error of its own makes a failed trial with the message kept
        (other classes than Maestro's with their name in front); `RunCancelled` ends the search. Equal sets are
        evaluated once.
    space : Space
    method : {"tpe", "random", "grid", "sobol"}, or an Optuna sampler
        ``tpe`` and samplers learn from trial to trial and count sets that break a constraint as trials; ``random``
        and ``sobol`` try exactly `trials` sets that break none, ``grid`` at most so many. A sampler object is
        copied and its random streams are set to `seed`, so that neither its past nor its own seed matters; a
        callable is called with the seed and returns a sampler.
    trials : int
        Number of trials, at least 1.
    seed : int
        0 to 2**32 - 1.
    score : callable
        Metrics vector to the number to be maximised; rounded to 12 significant digits before anything is decided.
    first : sequence of dict
        Sets to try first, e.g. the choice of the fold before; equal ones once. A grid tries its own points only.
    defaults : bool
        Try the strategy's defaults before anything else, where they are a point of the space (not in a grid).
    cancelled : callable, optional
        Asked before each trial, e.g. ``threading.Event().is_set``.
    on_trial : callable, optional
        Called with each trial when it is finished.
    pruner : optuna.pruners.BasePruner, optional
        With an Optuna sampler and `stages`: stops trials that do badly on them.
    stages : sequence of callables
        Cheaper evaluations (parts of the data) that come before the full one, one report to the pruner each.

    Returns
    -------
    list of Trial
        In order of proposal.

    Raises
    ------
    SettingsError
        A budget below 1, an unknown method, a first set outside the space, constraints that leave nothing.
    RunCancelled
    """
    if isinstance(trials, bool) or not isinstance(trials, (int, np.integer)) or trials < 1:
        raise SettingsError(f"trials={trials!r} leaves nothing to search; give a whole number of at least 1.")
    check_seed(seed)
    if isinstance(method, str) and method not in METHODS:
        raise SettingsError(
            f"search={method!r} is unknown; allowed: {', '.join(METHODS)}, or an Optuna sampler."
            + nearest(method, METHODS)
        )
    if pruner is not None and (isinstance(method, str) or not stages):
        raise SettingsError(
            "A pruner works with an Optuna sampler that reports on stages: give search=optuna.samplers.TPESampler(), "
            "or leave the pruner out."
        )
    bench = Bench(evaluate, space, score, int(trials), cancelled, on_trial)
    leading = _leading(space, first, defaults)
    if method == "tpe":
        _tpe(bench, leading, seed)
    elif isinstance(method, str):
        _batch(bench, leading, method, seed)
    else:
        from maestro.search.optuna_search import optuna_search  # Optuna costs 0.2 s to import

        optuna_search(bench, leading, method, seed, pruner, stages)
    return bench.finished


class Bench:
    """Evaluates the sets of one search and keeps the trials."""

    def __init__(
        self,
        evaluate: Evaluate,
        space: Space,
        score: Score,
        budget: int,
        cancelled: Callable[[], bool] | None = None,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        self.space, self.budget, self.score = space, budget, score
        self.finished: list[Trial] = []
        self._evaluate, self._cancelled, self._on_trial = evaluate, cancelled, on_trial
        self._known: dict[tuple[Any, ...], Outcome] = {}

    def raise_if_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise RunCancelled(
                f"The search was cancelled after {len(self.finished)} of {self.budget} trials; "
                "run it again to search this fold from its beginning."
            )

    def measure(self, params: Parameters, evaluate: Evaluate) -> tuple[FloatArray | None, str | None]:
        """Return metrics, or the error that prevented them."""
        try:
            return evaluate(params), None
        except RunCancelled:
            raise
        except MaestroError as error:
            return None, str(error)
        except Exception as error:  # a strategy is the user's code: whatever it raises is this trial's failure
            return None, f"{type(error).__name__}: {error}"

    def judge(self, params: Parameters) -> Outcome:
        """Evaluate a feasible set: state, metrics, error and score of its trial."""
        self.raise_if_cancelled()
        metrics, error = self.measure(params, self._evaluate)
        if metrics is None:
            return "failed", None, error, math.nan
        value = round_score(self.score(metrics))
        return "undefined" if math.isnan(value) else "complete", metrics, None, value

    def run(self, number: int, params: Parameters) -> Trial:
        """Evaluate a feasible set, unless an equal one was."""
        key = tuple([params[name] for name in self.space.names])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.judge(params)
        return Trial(number, params, *found)

    def keep(self, trial: Trial) -> Trial:
        """Enter a finished trial and tell the listener."""
        self.finished.append(trial)
        if self._on_trial is not None:
            self._on_trial(trial)
        return trial


def _leading(space: Space, first: Sequence[Parameters], defaults: bool) -> list[Parameters]:
    default = space.default if defaults else None
    sets = [] if default is None else [default]
    for given in first:
        params = space.check(given)
        if params not in sets:
            sets.append(params)
    return sets


def _tpe(bench: Bench, leading: Sequence[Parameters], seed: int) -> None:
    space = bench.space
    tpe = Tpe(space, seed)
    for number in range(bench.budget):
        params = leading[number] if number < len(leading) else tpe.propose()
        broken = space.violations(params)
        trial = bench.keep(Trial(number, params, "infeasible") if broken else bench.run(number, params))
        if trial.state != "failed":
            tpe.tell(params, value=trial.score, violations=broken)


def _batch(bench: Bench, leading: Sequence[Parameters], method: str, seed: int) -> None:
    columns = propose_all(bench.space, method, bench.budget, seed, () if method == "grid" else leading)
    sets = list(bench.space.rows(columns))
    bench.budget = len(sets)
    _, place = visits(columns)
    places, last = place.tolist(), -1
    for number in np.argsort(place, kind="stable").tolist():  # neighbours together, equal sets one after the other
        if places[number] != last:
            last = places[number]
            found = bench.judge(sets[number])
        bench.keep(Trial(number, sets[number], *found))
    bench.finished.sort(key=lambda trial: trial.number)
