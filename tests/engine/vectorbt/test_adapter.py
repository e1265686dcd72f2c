"""What vectorbt cannot do of a backtest is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.engine.protocol import Task
from maestro.engine.vectorbt.adapter import ENGINE
from maestro.strategies.signals import Signals

BARS = ms.synthetic_bars(50)
FUNDED = ms.Bars.from_frame(BARS.to_frame().with_columns(funding_rate=pl.lit(1e-4)))


def task(**changed: Any) -> Task:
    flags = np.zeros(50, bool)
    settings: dict[str, Any] = {
        "bars": BARS, "strategy": None, "signals": Signals(flags), "costs": ms.Costs(),
        "sizing": ms.Sizing.percent(1.0), "cash": 1e5, "fill": "next_open",
    }  # fmt: skip
    return Task(**{**settings, **changed})


def test_signals_at_the_next_open_are_not_refused() -> None:
    assert list(ENGINE.refusals(task())) == []
    stopped = Signals(np.ones(50, bool), stop=0.05)
    assert list(ENGINE.refusals(task(signals=stopped))) == []


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"sizing": ms.Sizing.percent(1.5, max_exposure=2.0)}, "max_exposure=2"),
        ({"signals": Signals(np.ones(50, bool), stop=0.05), "fill": "close"}, "fill='close' with stops"),
        ({"sizing": ms.Sizing.units(1, max_exposure=0.5), "fill": "close"}, "fill='close' with max_exposure below 1"),
        ({"bars": FUNDED}, "funding, because only orders change its cash"),
    ],
)
def test_what_it_cannot_do_is_named(changed: dict[str, Any], refusal: str) -> None:
    [found] = ENGINE.refusals(task(**changed))
    assert refusal in found


def test_bars_with_funding_have_two_ways_out() -> None:
    assert "bars without funding_rate" in ENGINE.instead(task(bars=FUNDED))
    assert ENGINE.instead(task()) == "Use engine='fast'."
