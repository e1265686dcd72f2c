"""Timing returns against a plain loop, and what they are for rules that time nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.walkforward.many.cells import DAY_US, Cell, summarise, timing_returns


class Always(ms.Strategy):
    """Holds the market in every fold from the first signal on."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        up = np.ones(len(bars), np.bool_)
        return ms.Signals(up, ~up)


def test_the_sums_of_a_day_against_a_plain_loop() -> None:
    bars = ms.synthetic_bars(1_500, 3)
    wf = ms.walk_forward(bars, "EmaCrossStrategy", splitter="rolling:4,2,1", trials=4, executor="serial")
    rows = wf.equity.rows(named=True)
    exposures, market, value, fold = [], [], 0.0, -1
    held = wf.spec.cash
    for row in rows:
        if row["fold"] != fold:
            value, fold = wf.spec.cash, row["fold"]
        value *= 1.0 + row["return"]
        exposures.append(row["position"] * row["close"] / value)
        market.append(row["benchmark"] / held - 1.0)
        held = row["benchmark"]
    mean = float(np.mean(exposures))
    mean = mean if mean * np.mean(market) > 0 else 0.0
    wanted: dict[int, float] = {}
    for row, move in zip(rows, market, strict=True):
        day = int(row["timestamp"].timestamp() * 1_000_000) // DAY_US
        wanted[day] = wanted.get(day, 0.0) + row["return"] - mean * move
    days, values = timing_returns(wf)
    assert days.tolist() == list(wanted)
    assert values == pytest.approx(list(wanted.values()), abs=1e-12)


def test_a_loss_from_drift_is_not_added_back() -> None:
    bars = next(b for k in range(20) if (b := ms.synthetic_bars(600, k, "1d")).close[-1] < 0.5 * b.close[150])
    wf = ms.walk_forward(bars, Always, splitter="rolling:3,1,1", trials=2, executor="serial")
    _, values = timing_returns(wf)
    assert values == pytest.approx(wf.equity["return"].to_numpy())


def test_who_always_holds_the_market_has_no_timing() -> None:
    bars = next(b for k in range(20) if (b := ms.synthetic_bars(600, k, "1d")).close[-1] > 2 * b.close[150])
    free = ms.Costs(fee=0.0, slippage=0.0)
    wf = ms.walk_forward(bars, Always, splitter="rolling:3,1,1", trials=2, executor="serial", costs=free)
    _, values = timing_returns(wf)
    assert abs(wf.metrics["total_return"]) > 0.05
    assert np.median(np.abs(values)) < 1e-3  # but for the first and last bar of each fold


def test_the_tally_is_that_of_the_ledger() -> None:
    bars = ms.synthetic_bars(400, 2, "1d")
    wf = ms.walk_forward(bars, "RSIStrategy", splitter="rolling:3,1,1", trials=4, executor="serial", seed=77)
    tally = summarise(Cell("A", "1d", "RSIStrategy"), wf).tally
    entered = ms.Ledger(bars).entries().filter(run=wf.id)
    assert tally.trials == entered["trials"].sum()
    assert tally.n == entered["sharpes"].sum()
