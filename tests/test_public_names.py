"""The names that others rely on: exactly these, each with its words."""

from __future__ import annotations

import importlib
import inspect
import types
from typing import Any

import pytest

import maestro as ms

PUBLIC = [
    "Adaptive", "Backtest", "Bars", "BarsWarning", "Bool", "Bracket", "Calendar", "Choice", "Constraint", "Costs",
    "Expanding", "Float", "Int", "Ledger", "MLflow", "MaestroError", "OnRegime", "Orders", "Overlay", "Portfolio",
    "Regimes", "Rolling", "Signals", "Sizing", "Strategy", "Sweep", "Universe", "WalkForward", "WalkForwards", "app",
    "backtest", "decision", "engines", "errors", "indicators", "ledger", "load", "load_run", "load_sample",
    "load_strategy", "load_walk_forwards", "metrics", "plan", "portfolio", "regimes", "reports", "runs", "samples",
    "strategies", "strategy", "sweep", "synthetic_bars", "universe", "validation", "verdict", "verify", "walk_forward",
    "walk_forward_many",
]  # fmt: skip


def test_the_public_names_are_pinned() -> None:
    assert sorted(PUBLIC) == PUBLIC
    assert ms.__all__ == PUBLIC
    assert dir(ms) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_object_exists_and_is_documented(name: str) -> None:
    thing: Any = getattr(ms, name)
    assert thing is getattr(ms, name)
    words = inspect.getdoc(thing)
    assert words
    assert words[0].isupper() or words[0] == "`"
    assert words.splitlines()[0].rstrip().endswith((".", "?", ":")), words.splitlines()[0]


def members() -> list[tuple[str, Any]]:
    found = []
    for name in PUBLIC:
        thing = getattr(ms, name)
        if inspect.isclass(thing):
            found += [
                (f"{name}.{k}", v) for k, v in vars(thing).items() if not k.startswith("_") and _documented_kind(v)
            ]
    return found


def _documented_kind(value: Any) -> bool:
    return isinstance(value, (types.FunctionType, classmethod, staticmethod, property))


def test_every_public_method_is_documented() -> None:
    bare = [name for name, value in members() if not inspect.getdoc(value)]
    # A subclass's method of the same name as a documented one needs no words of its own.
    assert not [
        name for name in bare if not inspect.getdoc(getattr(getattr(ms, name.split(".")[0]), name.split(".")[1]))
    ]


def test_every_package_is_documented() -> None:
    for name in ("maestro.engine", "maestro.strategies", "maestro.indicators", "maestro.walkforward", "maestro.runs",
                 "maestro.reports", "maestro.data", "maestro.validation"):  # fmt: skip
        module = importlib.import_module(name)
        assert inspect.getdoc(module), name
        exported = getattr(module, "__all__", [])
        for one in exported:
            getattr(module, one)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'maestro' has no attribute 'sharpe'"):
        _ = ms.sharpe
