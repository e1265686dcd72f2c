"""Does the compiled TPE propose what Optuna's TPESampler proposes, trial for trial?"""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers._tpe import parzen_estimator
from optuna.trial import TrialState

from maestro.errors import SettingsError
from maestro.search.space import Space
from maestro.search.tpe import Tpe
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Bool, Choice, Constraint, Float, Int

Objective = Callable[[dict[str, Any]], float]
"""A value, NaN where it is undefined; raises ArithmeticError where the trial fails."""


class StableNumpy:
    """NumPy as Optuna's Parzen estimator sees it, with a sort that keeps equal values in the order of trials."""

    argsort = staticmethod(partial(np.argsort, kind="stable"))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@pytest.fixture(autouse=True)
def stable_optuna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parzen_estimator, "np", StableNumpy())
    optuna.logging.set_verbosity(logging.WARNING)
    yield
    optuna.logging.set_verbosity(logging.INFO)


def strategy(*rules: Constraint, **declared: Any) -> type[Strategy]:
    return type("Searched", (Strategy,), {**declared, "constraints": rules})


def suggest(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for d in space.dimensions:
        if d.options:
            params[d.name] = trial.suggest_categorical(d.name, d.options)
        elif d.kind == "int":
            params[d.name] = trial.suggest_int(d.name, int(d.low), int(d.high), step=int(d.step or 1), log=d.log)
        elif d.negative:
            params[d.name] = -trial.suggest_float(d.name, -d.high, -d.low, log=True)
        else:
            params[d.name] = trial.suggest_float(d.name, d.low, d.high, step=d.step, log=d.log)
    return space.complete(params)


def optunas(space: Space, objective: Objective, n: int, seed: int, first: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Proposals of Optuna's own sampler."""
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(multivariate=True, seed=seed))
    for params in first:
        study.enqueue_trial({d.name: abs(params[d.name]) if d.negative else params[d.name] for d in space.dimensions})
    proposals = []
    for _ in range(n):
        trial = study.ask()
        params = suggest(trial, space)
        proposals.append(params)
        broken = space.violations(params)
        if broken:
            for k in range(broken):
                trial.set_constraint(f"rule {k}", 1.0)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        try:
            value = objective(params)
        except ArithmeticError:
            trial.set_constraint("evaluation", 1.0)
            study.tell(trial, state=TrialState.PRUNED)
            continue
        if math.isnan(value):
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, value)
    return proposals


def ours(space: Space, objective: Objective, n: int, seed: int, first: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tpe = Tpe(space, seed)
    proposals = []
    for i in range(n):
        params = first[i] if i < len(first) else tpe.propose()
        proposals.append(params)
        broken = space.violations(params)
        if broken:
            tpe.tell(params, violations=broken)
            continue
        try:
            value = objective(params)
        except ArithmeticError:
            tpe.tell(params, violations=1)
            continue
        tpe.tell(params, value=value)
    return proposals


def bowl(params: dict[str, Any]) -> float:
    """A smooth objective with a maximum inside."""
    return -sum((math.log(abs(v) + 1e-9) - 1.0 - 0.3 * k) ** 2 for k, v in enumerate(params.values()) if v is not None)


def mixed(params: dict[str, Any]) -> float:
    """Numbers and options; the option moves the maximum."""
    shift = {"a": 0.0, "b": 1.0, "c": 2.5, True: 0.4, False: 0.0}
    numbers = [v for v in params.values() if type(v) in (int, float)]
    return sum(shift.get(v, 0.0) for v in params.values() if type(v) in (str, bool)) - sum(
        (math.log(abs(v)) - 2.0) ** 2 for v in numbers
    )


def rounded(params: dict[str, Any]) -> float:
    """Many equal values."""
    return float(round(bowl(params)))


def gaps(params: dict[str, Any]) -> float:
    """Undefined on a third of the sets."""
    return math.nan if round(sum(abs(v) for v in params.values()) * 7) % 3 == 0 else bowl(params)


def broken(params: dict[str, Any]) -> float:
    """Fails on a third of the sets."""
    if round(sum(abs(v) for v in params.values()) * 7) % 3 == 0:
        raise ArithmeticError
    return bowl(params)


def starved(params: dict[str, Any]) -> float:
    """Fails on four fifths of the sets, those with the larger numbers."""
    if params["slow"] > 56:
        raise ArithmeticError
    return gaps(params)


def hopeless(params: dict[str, Any]) -> float:
    """Fails everywhere."""
    raise ArithmeticError


def never(params: dict[str, Any]) -> float:
    """Undefined everywhere, as a strategy that does not trade."""
    return math.nan


FAST_SLOW = Constraint("fast < slow", lambda p: p.fast < p.slow)
RIBBON = (
    Constraint("fast < medium", lambda p: p.fast < p.medium),
    Constraint("medium < slow", lambda p: p.medium < p.slow),
)

STUDIES: dict[str, tuple[type[Strategy], Objective]] = {
    "two whole numbers": (strategy(fast=Int(50, 5, 100), slow=Int(100, 20, 200)), bowl),
    "a constraint": (strategy(FAST_SLOW, fast=Int(50, 5, 100), slow=Int(100, 20, 200)), bowl),
    "two constraints, often broken": (
        strategy(*RIBBON, fast=Int(8, 3, 40), medium=Int(13, 3, 40), slow=Int(21, 3, 40)),
        bowl,
    ),
    "real numbers": (strategy(y=Float(2.0, 0.5, 8.0), x=Float(1.0, 0.1, 3.0)), bowl),
    "log scales": (strategy(n=Int(20, 1, 500, log=True), x=Float(1e-3, 1e-5, 1e-1, log=True)), bowl),
    "steps": (
        strategy(n=Int(20, 5, 65, step=5), x=Float(1.0, 0.5, 3.0, step=0.25), z=Float(0.3, 0.1, 0.7, step=0.1)),
        bowl,
    ),
    "options and numbers": (
        strategy(n=Int(20, 5, 100), mode=Choice("a", ("a", "b", "c")), x=Float(1.0, 0.5, 3.0), both=Bool(True)),
        mixed,
    ),
    "negative by magnitude": (
        strategy(entry=Float(-3e-5, -5e-4, -5e-6, log=True, minimum=-1.0), exit=Float(3e-5, 5e-6, 5e-4, log=True)),
        bowl,
    ),
    "ties": (strategy(fast=Int(5, 2, 12), slow=Int(10, 4, 20)), rounded),
    "undefined": (strategy(FAST_SLOW, fast=Int(50, 5, 100), slow=Int(100, 20, 200)), gaps),
    "failures": (strategy(fast=Int(50, 5, 100), x=Float(1.0, 0.1, 3.0)), broken),
    "failures, undefined and broken constraints": (
        strategy(*RIBBON, fast=Int(8, 3, 40), medium=Int(13, 3, 100), slow=Int(21, 3, 200)),
        starved,
    ),
    "failures everywhere": (strategy(FAST_SLOW, fast=Int(8, 3, 40), slow=Int(21, 3, 40)), hopeless),
    "failures among options": (
        strategy(slow=Int(20, 5, 250, log=True), mode=Choice("a", ("a", "b", "c")), both=Bool(True)),
        lambda p: starved({"slow": p["slow"]}) + mixed(p),
    ),
    "nothing defined": (strategy(FAST_SLOW, fast=Int(50, 5, 100), slow=Int(100, 20, 200)), never),
    "seven parameters": (
        strategy(
            a=Int(20, 10, 40), b=Float(2.0, 1.5, 3.0), c=Int(20, 10, 40), d=Int(100, 50, 150), e=Int(10, 5, 20),
            f=Int(50, 30, 80), g=Float(0.05, 0.035, 0.10),
        ),
        bowl,
    ),
    "a narrow range": (strategy(a=Int(2, 1, 3), b=Float(1.0, 1.0, 1.0 + 1e-6), c=Bool(False)), mixed),
}  # fmt: skip


def assert_equal(a: list[dict[str, Any]], b: list[dict[str, Any]], space: Space, label: str) -> None:
    for t, (left, right) in enumerate(zip(a, b, strict=True)):
        for d in space.dimensions:
            x, y = left[d.name], right[d.name]
            assert type(x) is type(y), f"{label}, trial {t}: {d.name} is {x!r} here, {y!r} in Optuna"
            same = abs(x - y) <= 1e-12 * abs(y) if d.kind == "float" else x == y
            assert same, f"{label}, trial {t}: {d.name} is {x!r} here, {y!r} in Optuna"


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", STUDIES)
def test_proposes_what_optuna_proposes(name: str, seed: int) -> None:
    cls, objective = STUDIES[name]
    space = Space(cls)
    first = [] if space.default is None else [space.default]
    n = 120
    assert_equal(
        ours(space, objective, n, seed, first), optunas(space, objective, n, seed, first), space, f"{name}, seed {seed}"
    )


def test_long_study_beyond_the_cap_of_good_trials() -> None:
    space = Space(STUDIES["a constraint"][0])
    assert_equal(ours(space, gaps, 300, 3, []), optunas(space, gaps, 300, 3, []), space, "300 trials")


@pytest.mark.parametrize("count", [3, 14])
def test_enqueued_trials_draw_nothing(count: int) -> None:
    space = Space(STUDIES["options and numbers"][0])
    first = [
        space.complete({"n": 20 + k, "mode": "abc"[k % 3], "x": 1.0 + k / 10, "both": k % 2 == 0}) for k in range(count)
    ]
    assert_equal(ours(space, mixed, 40, 5, first), optunas(space, mixed, 40, 5, first), space, f"{count} enqueued")


def test_options_only_agree_once_equal_ratios_are_equal_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among options candidates often have one ratio; Optuna lets rounding choose, here the first wins."""

    def compare(cls: Any, samples: dict[str, Any], values: Any) -> dict[str, Any]:
        best = 0
        for j in range(1, len(values)):
            if values[j] > values[best] + 1e-10:
                best = j
        return {name: column[best].item() for name, column in samples.items()}

    monkeypatch.setattr(optuna.samplers.TPESampler, "_compare", classmethod(compare))
    cls = strategy(
        a=Choice("a", tuple("abcdef")), b=Choice("a", tuple("abcdefgh")), c=Choice("a", tuple("abcd")), d=Bool(False)
    )
    space = Space(cls)

    def letters(params: dict[str, Any]) -> float:
        return float(sum(ord(v) if isinstance(v, str) else 2 * v for v in params.values()))

    for seed in (1, 4, 9):
        assert_equal(ours(space, letters, 100, seed, []), optunas(space, letters, 100, seed, []), space, f"seed {seed}")


def test_unstable_sort_is_why_optuna_is_patched() -> None:
    """The patch is in force: the estimator sees a stable sort."""
    assert (
        parzen_estimator.np.argsort([1, 1, 1, 0] * 30).tolist() == np.argsort([1, 1, 1, 0] * 30, kind="stable").tolist()
    )


def test_one_compiled_signature_whatever_the_size() -> None:
    from maestro.search import parzen

    one = Space(strategy(n=Int(5, 1, 50)))
    ours(one, bowl, 260, 0, [])
    ours(Space(STUDIES["seven parameters"][0]), bowl, 30, 0, [])
    assert len(parzen.propose.signatures) == 1
    assert len(parzen.insert.signatures) == 1


def test_same_seed_same_proposals_and_streams_are_its_own() -> None:
    space = Space(STUDIES["real numbers"][0])
    alone = ours(space, bowl, 40, 2, [])
    a, b = Tpe(space, 2), Tpe(space, 3)
    woven = []
    for _ in range(40):
        params, other = a.propose(), b.propose()
        np.random.random_sample(3)
        woven.append(params)
        a.tell(params, value=bowl(params))
        b.tell(other, value=bowl(other))
    assert woven == alone


def test_leaves_a_region_that_fails() -> None:
    space = Space(strategy(FAST_SLOW, fast=Int(50, 5, 100), slow=Int(100, 20, 200)))
    tried = ours(space, starved, 100, 0, [])
    assert sum(p["fast"] < p["slow"] <= 56 for p in tried[50:]) > 25, "half of the later proposals can be evaluated"


def test_finds_the_maximum() -> None:
    space = Space(STUDIES["real numbers"][0])
    best = max(
        ours(space, lambda p: -((p["x"] - 0.7) ** 2) - (p["y"] - 3.3) ** 2, 200, 0, []),
        key=lambda p: -((p["x"] - 0.7) ** 2) - (p["y"] - 3.3) ** 2,
    )
    assert abs(best["x"] - 0.7) < 0.1
    assert abs(best["y"] - 3.3) < 0.2


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None])
def test_refuses_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(SettingsError, match="whole number from 0"):
        Tpe(Space(STUDIES["real numbers"][0]), seed)


def test_neither_optuna_nor_scipy_is_imported() -> None:
    code = (
        "import sys, maestro.search.runner; "
        "heavy = {'optuna', 'scipy.stats', 'pandas', 'vectorbt'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
