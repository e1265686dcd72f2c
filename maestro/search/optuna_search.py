"""A search by an Optuna sampler: the space as Optuna's distributions, a study in memory, seeded streams."""

from __future__ import annotations

import copy
import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from maestro.errors import SettingsError
from maestro.search.dimensions import Dimension
from maestro.search.trials import Trial, TrialRunner
from maestro.strategies.options import written
from maestro.typing import FloatArray, Parameters

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution


def distribution(d: Dimension) -> BaseDistribution:
    """Optuna's distribution of the codes of a searched parameter (see `maestro.search.dimensions`)."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if d.options:
        return CategoricalDistribution(choices(d))
    low, high = d.code_low, d.code_high
    if d.kind == "int":
        return IntDistribution(int(low), int(high), log=d.log, step=int(d.step or 1))
    return FloatDistribution(low, high, log=d.log, step=d.step)


def choices(d: Dimension) -> tuple[Any, ...]:
    """Options as Optuna can store them: those that are not plain values by their text."""
    return tuple(written(option) for option in d.options)


def _to_optuna(d: Dimension, value: Any) -> Any:
    if d.options:
        return choices(d)[d.place(value)]
    return abs(value) if d.negative else value


def _suggest(trial: optuna.Trial, d: Dimension) -> Any:
    if d.options:
        return d.options[choices(d).index(trial.suggest_categorical(d.name, choices(d)))]
    low, high = d.code_low, d.code_high
    if d.kind == "int":
        return d.decode(trial.suggest_int(d.name, int(low), int(high), step=int(d.step or 1), log=d.log))
    return d.decode(trial.suggest_float(d.name, low, high, step=d.step, log=d.log))


def optuna_search(
    runner: TrialRunner,
    leading: Sequence[Parameters],
    sampler: Any,
    seed: int,
    pruner: optuna.pruners.BasePruner | None = None,
    stages: Sequence[Callable[[Parameters], FloatArray]] = (),
) -> None:
    """Run the trials of `runner` in an Optuna study in memory (see `maestro.search.runner.search`).

    The sampler receives complete trials with their score; an undefined score as pruned without a value; a set that
    breaks constraints as pruned, with a constraint of value 1 for each; a failed evaluation as pruned, with one of
    value 1; a warm-up that does not fit into the bars as pruned, with one of the value of the excess.
    """
    import optuna

    space = runner.space

    def objective(trial: optuna.Trial) -> float:
        runner.raise_if_cancelled()
        params = space.complete({d.name: _suggest(trial, d) for d in space.dimensions})
        broken, excess = space.violations(params), runner.excess(params)
        for k in range(broken):
            trial.set_constraint(f"rule {k}", 1.0)
        if excess:
            trial.set_constraint("warm-up", excess)
        if excess and not broken and trial.number >= len(leading) and runner.may_drop():
            raise optuna.TrialPruned
        if broken:
            runner.keep(Trial(len(runner.finished), params, "infeasible"))
            raise optuna.TrialPruned
        for step, stage in enumerate(stages if pruner is not None else ()):
            score = runner.evaluate(params, stage)[3]
            if math.isnan(score):  # too few bars for the warm-up, or no trade: there is nothing to compare
                continue
            trial.report(score, step)
            if trial.should_prune():
                message = f"Pruned after stage {step + 1} of {len(stages)}."
                runner.keep(Trial(len(runner.finished), params, "undefined", None, message))
                raise optuna.TrialPruned
        done = runner.keep(runner.run(params))
        if done.state == "failed":
            trial.set_constraint("evaluation", 1.0)
        if math.isnan(done.score):
            raise optuna.TrialPruned
        return done.score

    with quiet_optuna():
        study = optuna.create_study(
            direction="maximize",
            sampler=seeded(sampler, seed),
            pruner=optuna.pruners.NopPruner() if pruner is None else copy.deepcopy(pruner),
        )
        for params in leading:
            study.enqueue_trial({d.name: _to_optuna(d, params[d.name]) for d in space.dimensions})
        study.optimize(objective, callbacks=[lambda study, _: study.stop() if runner.full else None])


def seeded(sampler: Any, seed: int) -> optuna.samplers.BaseSampler:
    """Return a copy of a sampler that behaves as if it had been made with this seed.

    Every random stream found in it (Optuna's lazy state, NumPy's ``RandomState`` and ``Generator``), and in the
    samplers that it holds, is seeded, and every attribute ``_seed`` is set. A sampler that keeps its randomness
    elsewhere is not seeded: pass a callable instead, which takes the seed and returns the sampler.
    """
    from optuna.samplers import BaseSampler

    if not isinstance(sampler, BaseSampler):
        made = sampler(seed) if callable(sampler) and not isinstance(sampler, type) else None
        if not isinstance(made, BaseSampler):
            raise SettingsError(
                f"search={sampler!r} is not a sampler; give a name, an Optuna sampler such as "
                "optuna.samplers.CmaEsSampler(), or a function of the seed that returns one."
            )
        return made
    own = copy.deepcopy(sampler)
    _reseed(own, seed, set())
    return own


def _reseed(holder: Any, seed: int, seen: set[int]) -> None:
    if id(holder) in seen:
        return
    seen.add(id(holder))
    for name, value in list(vars(holder).items()):
        if isinstance(value, np.random.Generator):
            setattr(holder, name, np.random.default_rng(seed))
        elif isinstance(value, np.random.RandomState):
            value.seed(seed)
        elif name == "_seed":
            setattr(holder, name, seed)
        elif type(value).__name__ == "LazyRandomState":
            value.rng.seed(seed)
        elif hasattr(value, "__dict__") and any(c.__module__.startswith("optuna.") for c in type(value).__mro__):
            _reseed(value, seed, seen)


_quiet_lock = threading.Lock()
_quiet_depth = 0
_loud = logging.INFO


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Limit Optuna's log to errors: it has a line per trial, which our own events replace (threads may nest)."""
    import optuna

    global _quiet_depth, _loud
    with _quiet_lock:
        if _quiet_depth == 0:
            _loud = optuna.logging.get_verbosity()
            optuna.logging.set_verbosity(max(_loud, logging.ERROR))
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0:
                optuna.logging.set_verbosity(_loud)
