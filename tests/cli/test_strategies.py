"""``maestro strategies`` lists every strategy, and the parameters and rules of one."""

from __future__ import annotations

import json
from collections.abc import Callable

import maestro as ms
from tests.cli.commands import Done, fits


def test_strategies(run: Callable[..., Done]) -> None:
    done = run("strategies")
    assert all(name in done.out for name in ms.strategies())
    assert fits(done.out)
    listed = json.loads(run("strategies", "--json").out)
    assert [one["name"] for one in listed] == ms.strategies()
    fast = next(one for one in listed if one["name"] == "EmaCrossStrategy")["parameters"][0]
    assert (fast["name"], fast["default"], fast["low"], fast["high"]) == ("fast", 50, 5, 100)
    assert "fast < slow" in run("strategies", "EmaCrossStrategy").out
    assert "funding_rate" in run("strategies", "FundingRateArbitrage").out
