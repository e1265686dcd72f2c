"""What identifies a run: the source of a rule with the code it calls, and the settings of a search."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.runs import describe, source_hash


def rule(level: float, **extra: Any) -> type[ms.Strategy]:
    """A class made by a function: its text is the same for every level."""

    class Made(ms.Strategy):
        n = ms.Int(10, 5, 20)

        def signals(self, bars: Bars) -> ms.Signals:
            return ms.Signals(bars.close > ms.indicators.sma(bars.close, self.n) * level)

    for name, value in extra.items():
        setattr(Made, name, value)
    return Made


def test_closures_and_attributes_are_part_of_a_rule() -> None:
    assert source_hash(rule(1.0)) == source_hash(rule(1.0))
    hashes = {
        source_hash(rule(1.0)),
        source_hash(rule(1.1)),
        source_hash(rule(1.0, width=3)),
        source_hash(rule(1.0, n=7)),
    }
    hashes.add(source_hash(rule(1.0, constraints=(ms.Constraint("n > 5", lambda p: p.n > 5),))))
    hashes.add(source_hash(rule(1.0, constraints=(ms.Constraint("n > 5", lambda p: p.n > 6),))))
    assert len(hashes) == 6


TYPED = """
import maestro as ms
{before}
def helper(x):
    return x + {number}

class Bare(ms.Strategy):
    n = ms.Int(10, 5, 20)

    def signals(self, bars):
        return ms.Signals(bars.close > helper(ms.indicators.{average}(bars.close, self.n)))
"""


def test_a_rule_typed_at_a_prompt_has_the_hash_of_what_it_does() -> None:
    def typed(number: int = 1, average: str = "sma", before: str = "") -> str:
        space: dict[str, Any] = {"__name__": "typed_at_a_prompt"}
        exec(TYPED.format(number=number, average=average, before=before), space)
        return source_hash(space["Bare"])

    assert typed() == typed() == typed(before="# a remark\nunused = 3")
    assert len({typed(), typed(number=2), typed(average="ema")}) == 3


def test_modules_and_base_classes_of_ones_own_are_part_of_a_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for k, number in enumerate((1, 1, 2)):
        (tmp_path / f"own_lines_{k}.py").write_text(f"def line(close):\n    return close * {number}\n")
        space: dict[str, Any] = {"__name__": "typed_at_a_prompt"}
        exec(
            f"import maestro as ms\nfrom own_lines_{k} import line\n"
            "class Base(ms.Strategy):\n    def signals(self, bars):\n        "
            "return ms.Signals(bars.open > line(bars.close))\n"
            "class Child(Base):\n    n = ms.Int(3, 1, 9)\n",
            space,
        )
        found.append(source_hash(space["Child"]))
    assert found[0] == found[1] != found[2]


def test_searches_are_described_by_their_settings_not_by_their_past() -> None:
    import optuna

    fresh, used = (optuna.samplers.TPESampler(multivariate=True, seed=seed) for seed in (1, 2))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=used)
    study.optimize(lambda t: t.suggest_float("x", 0, 1) ** 2 + t.suggest_float("y", 0, 1), n_trials=15)
    assert describe(fresh) == describe(used)
    assert describe(optuna.samplers.TPESampler(multivariate=True, n_startup_trials=7)) != describe(fresh)
    five = describe(lambda seed: optuna.samplers.TPESampler(n_startup_trials=5, seed=seed))
    six = describe(lambda seed: optuna.samplers.TPESampler(n_startup_trials=6, seed=seed))
    assert five != six
    with warnings.catch_warnings():  # Optuna announces the end of `gamma`; people use it still
        warnings.simplefilter("ignore", FutureWarning)
        tpe = [describe(optuna.samplers.TPESampler(gamma=gamma)) for gamma in (lambda n: 3, lambda n: 4)]
    assert tpe[0] != tpe[1]
