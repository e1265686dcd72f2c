"""Are parameters refused that would be overwritten in tables, or that hide what a strategy is made of?"""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.errors import ParameterError
from maestro.metrics import NAMES
from maestro.strategies import STRATEGIES
from maestro.strategies.declaration import TABLE_COLUMNS, check_declaration

BARS = ms.synthetic_bars(300, seed=1)


def named(name: str, parameter: Any = None) -> type[ms.Strategy]:
    declared = {"n": ms.Int(5, 1, 20), name: parameter or ms.Float(0.5, 0.1, 1.0)}
    return type("Named", (ms.Strategy,), declared)


@pytest.mark.parametrize("name", [*NAMES, *sorted(TABLE_COLUMNS), "is_volatility", "oos_exposure"])
def test_names_of_columns_are_refused_wherever_the_class_is_used(name: str) -> None:
    cls = named(name)
    words = rf"Named: a parameter cannot be called '{name}', which is the name of .*; give it another name, like"
    uses: tuple[Any, ...] = (
        cls,
        lambda: ms.backtest(BARS, cls),
        lambda: ms.sweep(BARS, cls, n=5),
        lambda: ms.walk_forward(BARS, cls, trials=5),
        lambda: check_declaration(cls),
    )
    for use in uses:
        with pytest.raises(ParameterError, match=words):
            use()


@pytest.mark.parametrize("name", ["name", "source", "params", "signals", "warmup", "need", "evaluate", "declared"])
def test_names_of_what_a_strategy_is_made_of_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=f"called '{name}', which is the name of an attribute of ms.Strategy"):
        named(name, ms.Choice("a", ("a", "b")))()


@pytest.mark.parametrize("name", ["is_long", "oos_bars", "volatility_target", "trials", "equity", "n_folds"])
def test_other_names_are_free(name: str) -> None:
    assert name in named(name)().params


def test_every_column_of_the_results_beside_the_parameters_is_known() -> None:
    """A table that gets another column of its own must reserve its name."""
    from tests.support.rules import RISING, Cross

    wf = ms.walk_forward(RISING, Cross, trials=4, workers=1)
    sets = ms.validation.trial_returns(wf).sets
    near = ms.validation.neighbourhood(wf, steps=1).table
    metrics = {*NAMES, *(f"{part}_{name}" for part in ("is", "oos") for name in NAMES)}
    sweep = ms.sweep(RISING, Cross, n=4).table
    for table in (wf.folds, wf.trials, sets, near, sweep):
        assert set(table.columns) - {"fast", "slow"} - metrics <= TABLE_COLUMNS


def test_a_choice_needs_a_default_and_a_plain_value_does_not_replace_a_parameter() -> None:
    with pytest.raises(ParameterError, match="the choice 'mode' has no default; give one of its options, 'a', 'b'"):
        named("mode", ms.Choice(None, ("a", "b")))()
    assert named("mode", ms.Choice(None, (None, "b")))().params["mode"] is None
    with pytest.raises(ParameterError, match=r"Fixed.n = 7 hides the parameter 'n'.* like n = ms.Int"):
        type("Fixed", (named("x"),), {"n": 7})


def test_all_built_in_strategies_pass() -> None:
    for cls in STRATEGIES.values():
        check_declaration(cls)
