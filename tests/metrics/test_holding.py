"""Does buy and hold earn what the market gave over the tested bars, and nothing over the others?"""

from __future__ import annotations

import math

import numpy as np
import pytest

import maestro as ms
from maestro import metrics as m


def plainly(opens: list[float], closes: list[float], places: list[int], cash: float) -> list[float]:
    """One bar at a time: into the market at the open after a gap, out of it at the close before one."""
    values, value = [], cash
    for k, place in enumerate(places):
        before = closes[k - 1] if k and place == places[k - 1] + 1 else opens[k]
        value *= closes[k] / before
        values.append(value)
    return values


def test_known_values() -> None:
    assert m.buy_and_hold([10, 12, 20], [11, 13, 22], 100.0, places=[0, 1, 5]) == pytest.approx([110, 130, 143])
    assert m.buy_and_hold([10, 12, 20], [11, 13, 22], 100.0) == pytest.approx([110, 130, 220])
    assert len(m.buy_and_hold([], [], 100.0)) == len(m.buy_and_hold([], [], 100.0, places=[])) == 0


@pytest.mark.parametrize("seed", range(8))
def test_equals_a_plain_loop_over_any_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.sort(rng.choice(200, 120, replace=False))
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, 120)))
    opens = closes * np.exp(rng.normal(0, 0.01, 120))
    wanted = plainly(opens.tolist(), closes.tolist(), places.tolist(), 5_000.0)
    assert m.buy_and_hold(opens, closes, 5_000.0, places=places) == pytest.approx(wanted, rel=1e-12)


def test_without_gaps_it_is_the_price() -> None:
    bars = ms.synthetic_bars(300, seed=2)
    held = m.buy_and_hold(bars.open, bars.close, 100.0, places=np.arange(7, 307))
    assert held.tolist() == (100.0 * bars.close / bars.open[0]).tolist()
    assert ms.backtest(bars, "EmaCrossStrategy", cash=100.0).benchmark.tolist() == held.tolist()


def test_metrics_are_those_of_its_curve_and_undefined_without_one() -> None:
    bars = ms.synthetic_bars(300, seed=2)
    held = m.buy_and_hold(bars.open, bars.close, 100.0)
    found = m.holding_metrics(held, 100.0, periods_per_year=8_760)
    assert {k: v for k, v in found.items() if v == v} == m.from_equity(held, 100.0, periods_per_year=8_760)
    assert list(found) == list(m.NAMES)
    assert math.isnan(found["num_trades"])
    for curve, periods in (([], 8_760), ([1.0, math.nan], 8_760), (held, math.nan)):
        assert all(math.isnan(v) for v in m.holding_metrics(curve, 100.0, periods_per_year=periods).values())
