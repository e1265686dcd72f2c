"""Maestro: is this trading rule robust, or fitted to the past?

Everything below is loaded when it is first used, so that ``import maestro`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from maestro.version import __version__ as __version__

_HOMES = {
    "maestro.bars": ("Bars", "BarsWarning"),
    "maestro.loading": ("load", "load_sample", "samples", "synthetic_bars"),
    "maestro.strategies": (
        "Bool", "Bracket", "Choice", "Constraint", "Float", "Int", "Orders", "Overlay", "Signals", "Strategy",
        "strategies", "strategy",
    ),
    "maestro.engine": ("Backtest", "Costs", "Sizing", "backtest"),
    "maestro.engine.engines": ("engines",),
    "maestro.ledger": ("Ledger",),
    "maestro.walkforward": ("Adaptive", "Calendar", "Expanding", "Rolling", "Sweep", "sweep"),
    "maestro.verification": ("verify",),
    "maestro.research": ("WalkForward", "load_run", "walk_forward"),
    "maestro.judge": ("verdict",),
    "maestro.apps": ("app",),
    "maestro.errors": ("MaestroError",),
}  # fmt: skip
_MODULES = ("errors", "indicators", "ledger", "metrics", "reports", "runs", "validation")
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, *_MODULES])

if TYPE_CHECKING:
    from maestro import errors, indicators, ledger, metrics, reports, runs, validation
    from maestro.apps.serving import app
    from maestro.bars import Bars, BarsWarning
    from maestro.engine import Backtest, Costs, Sizing, backtest  # type: ignore[no-redef]
    from maestro.engine.engines import engines
    from maestro.errors import MaestroError
    from maestro.judge import verdict
    from maestro.ledger import Ledger
    from maestro.loading import load, load_sample, samples, synthetic_bars
    from maestro.research import WalkForward, load_run, walk_forward
    from maestro.strategies import (
        Bool,
        Bracket,
        Choice,
        Constraint,
        Float,
        Int,
        Orders,
        Overlay,
        Signals,
        Strategy,
        strategies,
        strategy,
    )
    from maestro.verification import verify
    from maestro.walkforward import Adaptive, Calendar, Expanding, Rolling, Sweep, sweep  # type: ignore[no-redef]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"maestro.{name}")
    else:
        raise AttributeError(f"module 'maestro' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
