"""The search of one fold: which parameter sets are tried, in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from maestro.errors import SettingsError, nearest
from maestro.search.optuna_search import optuna_search
from maestro.search.sampling import METHODS as BATCHES
from maestro.search.sampling import propose_all, visits
from maestro.search.space import Space
from maestro.search.tpe import Tpe, check_seed
from maestro.search.trials import Evaluate, Score, Trial, TrialRunner, sharpe_ratio
from maestro.typing import Parameters

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler

METHODS = ("tpe", *BATCHES)
"""Searches by name; an Optuna sampler object is the other way."""


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
    ``tpe`` and samplers get how much is lacking, as the value of a constraint, and propose again: up to `trials`
    such proposals are not trials, further ones are infeasible trials. A failed evaluation is a trial, and samplers are
    informed that it breaks a constraint, so that they avoid its surroundings.
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
    runner = TrialRunner(evaluate, space, score, int(trials), bars, cancelled, on_trial)
    leading = _leading(runner, first, defaults)
    if method == "tpe":
        _tpe(runner, leading, seed)
    elif isinstance(method, str):
        _batch(runner, leading, method, seed, bars)
    else:
        optuna_search(runner, leading, method, seed, pruner, stages)
    return runner.finished


def _leading(runner: TrialRunner, first: Sequence[Parameters], defaults: bool) -> list[Parameters]:
    space = runner.space
    default = space.default if defaults else None
    if default is not None and runner.excess(default):
        default = None
    sets = [] if default is None else [default]
    for given in first:
        params = space.check(given)
        if params not in sets:
            sets.append(params)
    return sets


def _tpe(runner: TrialRunner, leading: Sequence[Parameters], seed: int) -> None:
    space = runner.space
    tpe = Tpe(space, seed)
    given = list(reversed(leading))
    while not runner.full:
        proposed = not given
        params = tpe.propose() if proposed else given.pop()
        broken, excess = space.violations(params), runner.excess(params)
        if excess and not broken and proposed and runner.may_drop():
            tpe.tell(params, violations=excess)
            continue
        trial = Trial(len(runner.finished), params, "infeasible") if broken else runner.run(params)
        runner.keep(trial)
        tpe.tell(params, value=trial.score, violations=broken + excess + (trial.state == "failed"))


def _batch(runner: TrialRunner, leading: Sequence[Parameters], method: str, seed: int, bars: int | None) -> None:
    columns = propose_all(runner.space, method, runner.budget, seed, () if method == "grid" else leading, bars)
    sets = list(runner.space.rows(columns))
    runner.budget = len(sets)
    _, place = visits(columns)
    places, last = place.tolist(), -1
    for number in np.argsort(place, kind="stable").tolist():  # neighbours together, equal sets one after the other
        if places[number] != last:
            last = places[number]
            found = runner.evaluate(sets[number])
        runner.keep(Trial(number, sets[number], *found))
    runner.finished.sort(key=lambda trial: trial.number)
