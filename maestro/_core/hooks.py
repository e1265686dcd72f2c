"""Functions of higher layers that lower layers call, bound by name.

A `WalkForward` writes its report, and the report's layer stands above it; a worker process imports what it will run
before its first task. The entry package binds each name to ``module:function``; the module is imported when the
function is first called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

_BOUND: dict[str, str] = {}


def bind(functions: Mapping[str, str]) -> None:
    """Bind names to functions, each as ``package.module:function``."""
    _BOUND.update(functions)


def hook(name: str) -> Callable[..., Any]:
    """Return the function bound to a name."""
    module, _, function = _BOUND[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
