"""Interactive apps: a market, a backtest, a walk-forward, many of them, the runs; in a notebook cell or served."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name in __all__:
        from maestro.apps import serving

        return getattr(serving, name)
    raise AttributeError(f"module 'maestro.apps' has no attribute {name!r}")


__all__ = ["app", "serve"]
