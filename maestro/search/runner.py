"""How one fold is searched: which sets are tried in turn, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from maestro import metrics as m
from maestro.errors import MaestroError, RunCancelled, SettingsError, WarmupError, nearest
from maestro.search.sampling import METHODS as BATCHES
from maestro.search.sampling import propose_all, visits
from maestro.search.space import Space
from maestro.search.tpe import Tpe, check_seed
from maestro.strategies.base import warmup_excess
from maestro.typing import FloatArray, Parameters

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

METHODS = ("tpe", *BATCHES)
"""Searches by name; an Optuna sampler object is the other way."""
DIGITS = 12
"""Significant digits of a score: sums differ in the last digits between CPUs, decisions must not."""

State: TypeAlias = Literal["complete", "infeasible", "undefined", "failed"]
EVALUATED: tuple[State, ...] = ("complete", "undefined")
"""States of trials that were evaluated: those that the deflated Sharpe ratio counts."""
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
    bars: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
    pruner: BasePruner | None = None,
    stages: Sequence[Evaluate] = (),
) -> list[Trial]:
    """Search a space on one stretch of data.

    Parameters
    ----------
    evaluate : callable
        Complete parameters to a metrics vector. An error makes a failed trial that keeps the message (prefixed with
        the class if it is not one of Maestro's); `WarmupError` makes an infeasible one, `RunCancelled` ends the
        search. Equal sets are evaluated once.
    space : Space
    method : {"tpe", "random", "grid", "sobol"}, or an Optuna sampler
        ``tpe`` and samplers learn from trial to trial and count sets that break a constraint as trials; ``random``
        and ``sobol`` try exactly `trials` sets that break none, ``grid`` at most that many. A sampler object is
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
        Try the strategy's defaults before anything else if they are a point of the space and fit into the bars (not
        in a grid).
    bars : int, optional
        Number of bars that `evaluate` works on: sets whose warm-up is longer than half of them are not tried.
    cancelled : callable, optional
        Asked before each trial, e.g. ``threading.Event().is_set``.
    on_trial : callable, optional
        Called with each trial when it is finished.
    pruner : optuna.pruners.BasePruner, optional
        With an Optuna sampler and `stages`: stops trials that do badly on them.
    stages : sequence of callables
        Cheaper evaluations (parts of the data) that come before the full one, one report to the pruner each. A stage
        that raises an error, or has no score, reports nothing.

    Returns
    -------
    list of Trial
        In order of proposal.

    Raises
    ------
    SettingsError
        A budget below 1, an unknown method, a first set outside the space, constraints that leave nothing.
    WarmupError
        Almost no set has a warm-up that fits into the bars.
    RunCancelled

    Notes
    -----
    A warm-up that does not fit is known before the simulation. ``random``, ``sobol`` and ``grid`` draw other sets.
    ``tpe`` and samplers are told how much is lacking, as the value of a constraint, and propose again: up to `trials`
    such proposals are no trials, further ones are infeasible trials. A failed evaluation is a trial, and samplers are
    told that it breaks a constraint, so that they avoid its surroundings.
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
    bench = Bench(evaluate, space, score, int(trials), bars, cancelled, on_trial)
    leading = _leading(bench, first, defaults)
    if method == "tpe":
        _tpe(bench, leading, seed)
    elif isinstance(method, str):
        _batch(bench, leading, method, seed, bars)
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
        bars: int | None = None,
        cancelled: Callable[[], bool] | None = None,
        on_trial: Callable[[Trial], None] | None = None,
    ) -> None:
        self.space, self.budget, self.score = space, budget, score
        self.finished: list[Trial] = []
        self._bars, self._spare = bars, budget
        self._evaluate, self._cancelled, self._on_trial = evaluate, cancelled, on_trial
        self._known: dict[tuple[float, ...], Outcome] = {}

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

    def judge(self, params: Parameters, evaluate: Evaluate | None = None) -> Outcome:
        """Evaluate a set that breaks no constraint: state, metrics, error and score of its trial."""
        self.raise_if_cancelled()
        try:
            metrics = (evaluate or self._evaluate)(params)
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
            found = self._known[key] = self.judge(params)
        return Trial(len(self.finished), params, *found)

    def keep(self, trial: Trial) -> Trial:
        """Add a finished trial and call the listener."""
        self.finished.append(trial)
        if self._on_trial is not None:
            self._on_trial(trial)
        return trial


def _leading(bench: Bench, first: Sequence[Parameters], defaults: bool) -> list[Parameters]:
    space = bench.space
    default = space.default if defaults else None
    if default is not None and bench.excess(default):
        default = None
    sets = [] if default is None else [default]
    for given in first:
        params = space.check(given)
        if params not in sets:
            sets.append(params)
    return sets


def _tpe(bench: Bench, leading: Sequence[Parameters], seed: int) -> None:
    space = bench.space
    tpe = Tpe(space, seed)
    given = list(reversed(leading))
    while not bench.full:
        proposed = not given
        params = tpe.propose() if proposed else given.pop()
        broken, excess = space.violations(params), bench.excess(params)
        if excess and not broken and proposed and bench.may_drop():
            tpe.tell(params, violations=excess)
            continue
        trial = Trial(len(bench.finished), params, "infeasible") if broken else bench.run(params)
        bench.keep(trial)
        tpe.tell(params, value=trial.score, violations=broken + excess + (trial.state == "failed"))


def _batch(bench: Bench, leading: Sequence[Parameters], method: str, seed: int, bars: int | None) -> None:
    columns = propose_all(bench.space, method, bench.budget, seed, () if method == "grid" else leading, bars)
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
