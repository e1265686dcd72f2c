"""Walk-forward: split, search, select, evaluate out of sample; and sweeps over many parameter sets.

Loaded when first used, so that a splitter does not wait for the compiled kernels.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "maestro.execution.events": ("Event", "Listener", "ProgressBar"),
    "maestro.walkforward.selection": ("Selection",),
    "maestro.walkforward.splitters": ("Adaptive", "Calendar", "Expanding", "Rolling", "Splitter", "Window"),
    "maestro.walkforward.sweep": ("Sweep",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Adaptive",
    "Calendar",
    "Event",
    "Expanding",
    "Listener",
    "ProgressBar",
    "Rolling",
    "Selection",
    "Splitter",
    "Sweep",
    "Window",
]

if TYPE_CHECKING:
    from maestro.execution.events import Event, Listener, ProgressBar
    from maestro.walkforward.selection import Selection
    from maestro.walkforward.splitters import Adaptive, Calendar, Expanding, Rolling, Splitter, Window
    from maestro.walkforward.sweep import Sweep


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'maestro.walkforward' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
