"""The calibration of a check on regimes: what is planted in the series, and how often a candidate passes."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from benchmarks import calibrate_regimes as module


def test_a_state_lasts_its_mean_duration() -> None:
    state = module.switching(200_000, (120, 60), np.random.default_rng(0))
    changes = np.flatnonzero(np.diff(state.astype(int)))
    lengths = np.diff(changes)
    inside = state[changes[:-1] + 1]
    assert lengths[inside].mean() == pytest.approx(60, rel=0.1)
    assert lengths[~inside].mean() == pytest.approx(120, rel=0.1)


def test_a_trend_is_planted_in_its_regime_only() -> None:
    bars = ms.synthetic_bars(2_500, timeframe="1d", seed=1)
    plain, calm, both = (
        module.made_bars(bars, 0.5, where, 7) for where in ((False, False), (True, False), (True, True))
    )

    def moves(one: ms.Bars) -> np.ndarray:
        return np.diff(np.log(one.close))

    in_calm, anywhere = (~np.isclose(moves(one), moves(plain), atol=1e-12) for one in (calm, both))
    assert anywhere.all()
    assert 0.4 < in_calm.mean() < 0.9
    assert moves(plain)[in_calm].std() < 0.6 * moves(plain)[~in_calm].std(), "calm bars move less"
    assert (calm.high >= np.maximum(calm.open, calm.close)).all()
    assert (calm.low <= np.minimum(calm.open, calm.close)).all()


def test_candidates_are_counted_over_all_runs_and_over_those_that_pass_the_existing_checks() -> None:
    good = {"passes": True, "worst": 0.1, "total": 1.0, "best_share": 0.6}
    rows = [{"design": "noise", **row} for row in (good, {**good, "worst": -0.1, "best_share": 1.1, "passes": False})]
    text = module.lines(rows)
    cell = "50% [9%, 91%] of 2; 100% [21%, 100%] of 1"
    assert text[2] == f"| noise | 50% [9%, 91%] of 2 | {cell} | {cell} |"
    assert text[3].endswith("| – | –; – | –; – |")
