"""Stops, trails, targets and ladders: the bar, the reason and the price at which a position is taken out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from maestro.engine.kernels import account as ac
from maestro.engine.kernels import protection as pr
from maestro.typing import FloatArray

NONE = np.empty(0)
NO_LADDER = np.empty((0, 0))


def breach(
    lows: list[float], highs: list[float], *, side: int = 1, low: float = -math.inf, high: float = math.inf,
    trail: float = 0.0, opens: list[float] | None = None, ladder: Any = NO_LADDER, unit: int = pr.FRACTION,
) -> tuple[int, int, float]:  # fmt: skip
    """First breach of a position that was opened at 100, in bars that open and close at 100 unless given."""
    down, up = np.array(lows), np.array(highs)
    blocks: tuple[FloatArray, FloatArray] = pr.block_extremes(down, up)
    adverse, favourable = (down, up) if side > 0 else (up, down)
    block_adverse, block_favourable = blocks if side > 0 else blocks[::-1]
    first = np.array(opens or [100.0] * len(lows))
    found: tuple[int, int, float] = pr.breach(
        side, 100.0, low, high, trail, 0, len(lows), first, np.full(len(lows), 100.0), adverse, favourable,
        block_adverse, block_favourable, unit, ladder,
    )  # fmt: skip
    return found


def test_a_stop_is_hit_at_its_level_or_at_an_open_beyond_it() -> None:
    assert breach([99, 95, 90], [101, 101, 101], low=94.0) == (2, ac.STOPPED, 94.0)
    assert breach([99, 95, 90], [101, 101, 101], low=94.0, opens=[100, 100, 92]) == (2, ac.STOPPED, 92.0)
    assert breach([99, 95, 95], [101, 101, 101], low=94.0) == (-1, 0, 0.0)


def test_the_levels_of_a_short_are_negative() -> None:
    assert breach([99, 99], [101, 107], side=-1, low=-106.0) == (1, ac.STOPPED, 106.0)
    assert breach([99, 93], [101, 101], side=-1, high=-94.0) == (1, ac.TARGETED, 94.0)


def test_where_stop_and_target_are_in_one_bar_the_stop_counts() -> None:
    assert breach([90], [110], low=95.0, high=105.0) == (0, ac.STOPPED, 95.0)
    assert breach([96], [110], low=95.0, high=105.0) == (0, ac.TARGETED, 105.0)


def test_a_trail_follows_the_best_price_of_earlier_bars() -> None:
    lows, highs, opens = [99.0, 99, 107], [101.0, 120, 121], [100.0, 100, 110]
    assert breach(lows, highs, opens=opens, trail=0.1) == (2, ac.TRAILED, pytest.approx(108.0))
    assert breach(lows, highs, opens=opens, trail=12.5, unit=pr.PRICE_DISTANCE) == (2, ac.TRAILED, 107.5)


def test_a_ladder_raises_the_stop_after_a_close_beyond_its_trigger() -> None:
    ladder = np.array([[-0.01, -0.02, 0.5]])  # the close of 100 is above the trigger at once
    assert breach([99, 97], [101, 101], low=90.0, ladder=ladder) == (1, ac.STOPPED, 98.0)


def test_whole_blocks_give_what_single_bars_give() -> None:
    rng = np.random.default_rng(0)
    lows, highs = 100 - 5 * rng.random(100), 100 + 5 * rng.random(100)
    lows[77] = 90.0
    assert breach(lows.tolist(), highs.tolist(), low=91.0) == (77, ac.STOPPED, 91.0)
    low_blocks, high_blocks = pr.block_extremes(lows, highs)
    assert low_blocks.tolist() == [lows[k : k + pr.BLOCK].min() for k in range(0, 96, pr.BLOCK)]
    assert high_blocks.tolist() == [highs[k : k + pr.BLOCK].max() for k in range(0, 96, pr.BLOCK)]


def test_levels_in_each_unit() -> None:
    values = np.array([0.1])
    units = np.array([pr.FRACTION, pr.PRICE_DISTANCE, pr.FRACTION])
    none = np.empty(0)
    found = pr.levels_of(100.0, 1, 0, values, np.array([5.0]), none, units, none, none)
    assert found == (90.0, 105.0, 0.0)
    found = pr.levels_of(100.0, -1, 0, values, np.array([5.0]), values, units, none, none)
    assert found == (pytest.approx(-110.0), -95.0, 0.1)
    assert pr.levels_of(100.0, 1, 0, none, none, none, units, none, none) == (-math.inf, math.inf, 0.0)


def test_risk_sizing_loses_its_share_at_the_stop() -> None:
    settings = np.zeros(11)
    settings[[ac.SIZE_VALUE, ac.MAX_EXPOSURE]] = 0.01, 1.0
    assert pr.risk_units(settings, 1e5, 100.0, 1, 95.0, 0.0, pr.FRACTION) == (200.0, False)
    assert pr.risk_units(settings, 1e5, 100.0, 1, 99.9, 0.0, pr.FRACTION) == (1000.0, True)  # the largest exposure
    assert pr.risk_units(settings, 1e5, 100.0, 1, -math.inf, 0.0, pr.FRACTION) == (0.0, True)  # no stop
