"""What backtrader cannot do of a backtest is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np

import maestro as ms
from maestro.engine.backtrader.adapter import ENGINE
from maestro.engine.protocol import Task
from maestro.strategies.signals import Signals


def task(**changed: Any) -> Task:
    settings: dict[str, Any] = {
        "bars": ms.synthetic_bars(50), "strategy": None, "signals": Signals(np.zeros(50, bool)), "costs": ms.Costs(),
        "sizing": ms.Sizing.percent(1.0), "cash": 1e5, "fill": "next_open",
    }  # fmt: skip
    return Task(**{**settings, **changed})


def test_refusals() -> None:
    assert list(ENGINE.refusals(task())) == []
    assert list(ENGINE.refusals(task(fill="close"))) == ["fill='close'"]
    [leveraged] = ENGINE.refusals(task(sizing=ms.Sizing.percent(1.5, max_exposure=2.0)))
    assert leveraged.startswith("max_exposure=2")


def test_its_names_and_its_extra() -> None:
    assert (ENGINE.name, ENGINE.alias, ENGINE.extra) == ("backtrader", "v1", "legacy")
