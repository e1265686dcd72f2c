"""Cost maps: the run's own costs give the run, and the break-even breaks even."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation import cost_map
from maestro.validation.robustness.choices import choices_of
from maestro.validation.robustness.cost_map import SETTLED, with_funding
from tests.validation.robustness.rules import Foresight, N


class Hold(ms.Strategy):
    """Buys at the first bar."""

    n = ms.Int(1, 1, 5)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(np.ones(len(bars), np.bool_), np.zeros(len(bars), np.bool_))


def test_the_runs_own_costs_are_the_run_and_the_break_even_breaks_even(wf: ms.WalkForward) -> None:
    found = cost_map(wf)
    own = found.table.filter(fee=wf.spec.costs.fee, slippage=wf.spec.costs.slippage).row(0, named=True)
    assert own["total_return"] == wf.metrics["total_return"]
    for _, part in found.table.group_by("slippage"):
        returns = part.sort("fee")["total_return"]
        assert (returns.diff().drop_nulls() < 0).all()
    choices = choices_of(wf)
    if not math.isnan(found.break_even_fee):
        at = choices.stitched(costs=ms.Costs(fee=found.break_even_fee, slippage=found.slippage))
        assert at.metrics["total_return"] == pytest.approx(0.0, abs=1e-5)


def test_break_even_of_a_rule_that_knows_the_future(bars: ms.Bars) -> None:
    run = ms.walk_forward(bars, Foresight(width=60.0), trials=3, workers=1, params={"width": 60.0})
    found = cost_map(run)
    assert 0.001 < found.break_even_fee < 0.05
    assert found.margin > 1
    at = choices_of(run).stitched(costs=ms.Costs(fee=found.break_even_fee, slippage=found.slippage))
    assert at.metrics["total_return"] == pytest.approx(0.0, abs=1e-4)
    assert "breaks even at" in repr(found)


def test_funding_is_settled_every_eight_hours_and_paid_by_longs(bars: ms.Bars) -> None:
    made = with_funding(bars, 0.001)
    assert made.funding_rate is not None
    settled = ~np.isnan(made.funding_rate)
    assert (made.time[settled] % SETTLED == 0).all()
    assert settled.sum() == (bars.time % SETTLED == 0).sum()
    assert bars.funding_rate is None
    days = with_funding(bars[: N // 12 * 12].resample("12h"), 0.001).funding_rate
    assert days is not None
    assert days.tolist() == [pytest.approx(0.0015)] * len(days)
    run = ms.walk_forward(
        bars, Hold, trials=1, workers=1, costs=ms.Costs(fee=0.0, slippage=0.0), splitter="rolling:4,1,1"
    )
    found = cost_map(run, funding=(0.0, 0.001)).funding.sort("funding")["total_return"].to_list()
    tested = choices_of(run).stitched().stamps
    held = sum(1 for one in tested if one % SETTLED == 0)
    assert found[0] == pytest.approx(run.metrics["total_return"], rel=1e-12)
    growth = (1 + found[1]) / (1 + found[0])
    assert -0.001 * (held + 8) * 1.5 < growth - 1 < -0.001 * (held - 8) * 0.5


@pytest.mark.parametrize("given", [{"fees": ()}, {"slippages": (1.0,)}, {"funding": ("a",)}])
def test_costs_that_are_none_are_refused(wf: ms.WalkForward, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="are not fractions"):
        cost_map(wf, **given)
