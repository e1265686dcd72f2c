"""Contracts of plug-ins as test classes, and a fake exchange to test sources against.

Subclass a contract in a test module, say how the thing is made, and pytest runs the tests that the built-in ones pass:
`StoreContract`, `SourceContract`, `EngineContract`, `StrategyContract`. They need pytest, which is imported only here.
See docs/extending.md.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

_HOMES = {
    "maestro.testing.clock": ("VirtualClock",),
    "maestro.testing.engines": ("EngineContract",),
    "maestro.testing.exchange": ("Answer", "Ban", "FakeExchange", "Market", "Refusal", "Request"),
    "maestro.testing.faults": ("FAILURES", "LIES", "Faults", "NoFaults"),
    "maestro.testing.read_only": ("ReadOnlyStoreContract",),
    "maestro.testing.sources": ("SourceContract", "settings_for"),
    "maestro.testing.stores": ("StoreContract",),
    "maestro.testing.strategies": ("StrategyContract",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "FAILURES",
    "LIES",
    "Answer",
    "Ban",
    "EngineContract",
    "FakeExchange",
    "Faults",
    "Market",
    "NoFaults",
    "ReadOnlyStoreContract",
    "Refusal",
    "Request",
    "SourceContract",
    "StoreContract",
    "StrategyContract",
    "VirtualClock",
    "settings_for",
]

if TYPE_CHECKING:
    from maestro.testing.clock import VirtualClock
    from maestro.testing.engines import EngineContract
    from maestro.testing.exchange import Answer, Ban, FakeExchange, Market, Refusal, Request
    from maestro.testing.faults import FAILURES, LIES, Faults, NoFaults
    from maestro.testing.read_only import ReadOnlyStoreContract
    from maestro.testing.sources import SourceContract, settings_for
    from maestro.testing.stores import StoreContract
    from maestro.testing.strategies import StrategyContract

if "pytest" in sys.modules:  # so that a failed assertion of a contract shows its values
    sys.modules["pytest"].register_assert_rewrite(*_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'maestro.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
