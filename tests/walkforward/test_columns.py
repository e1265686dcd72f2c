"""The columns of a walk-forward's tables: parameters, metrics, and what was searched."""

from __future__ import annotations

import pytest

from maestro.walkforward.columns import Range, parameter_names, search_range, searched
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))


def test_parameters_are_distinguished_from_metrics_and_windows(wf: StandIn) -> None:
    assert parameter_names(wf.folds) == ["fast", "slow", "band", "exit"]
    assert searched(wf) == ["fast", "slow", "band", "exit"]
    fixed = wf.but(
        spec={
            **wf.spec.to_dict(),
            "space": {"fixed": {"slow": 60}, "search": {"fast": wf.spec.to_dict()["space"]["search"]["fast"]}},
            "params": {"slow": 60},
        }
    )
    assert searched(fixed) == ["fast"]


def test_search_range_comes_from_the_spec_or_the_trials(wf: StandIn) -> None:
    assert search_range(wf, "band") == Range(0.001, 0.1, None, True)
    assert search_range(wf, "exit").options == ("cross", "trail")
    fixed = wf.but(spec={**wf.spec.to_dict(), "space": {"fixed": {}, "search": {}}})
    unsaid = search_range(fixed, "fast")
    assert (unsaid.low, unsaid.high, unsaid.stated) == (wf.trials["fast"].min(), wf.trials["fast"].max(), False)
