"""Every built-in engine keeps the contract of engines."""

from __future__ import annotations

from maestro.engine.engines import ENGINES
from maestro.testing import EngineContract
from tests.engine.libraries import library

library("vectorbt", "vectorbt")
library("backtrader", "legacy")


class TestVectorbt(EngineContract):
    engine = "vectorbt"


class TestBacktrader(EngineContract):
    engine = "backtrader"


def test_every_built_in_engine_is_held_to_it() -> None:
    assert {contract.engine for contract in EngineContract.__subclasses__()} >= set(ENGINES.builtin)
