"""All parts of a decision in one call: each equal to its own function, and reasons where there is no result."""

from __future__ import annotations

import threading

import pytest

import maestro as ms
from maestro.decision import expectation, measure
from maestro.decision.measure import PARTS
from maestro.errors import RunCancelled, SettingsError
from maestro.validation import concentration, random_entries


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=8, workers=1)


def test_every_part_is_that_of_its_function(wf: ms.WalkForward) -> None:
    reported: list[str] = []
    found = measure(wf, progress=reported.append)
    assert found.problems == {}
    assert reported == list(found.found) == [part for part in PARTS if part != "retiming"]
    assert found.found["now"].params == wf.now().params
    assert found.found["expected"] == expectation(wf)
    assert found.found["random_entries"].pvalue == random_entries(wf).pvalue
    assert found.found["concentration"].without.equals(concentration(wf).without)
    assert found.found["by_regime"].equals(wf.by_regime(train=found.training, refit="3mo"))
    assert found.training == "1y"


def test_a_part_without_a_result_has_its_reason(wf: ms.WalkForward) -> None:
    few = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=2, workers=1)
    few.trades = few.trades.clear()
    found = measure(few, parts=("concentration", "monte_carlo"))
    assert found.found == {}
    assert "no trade was closed" in found.problems["concentration"]
    assert "too few" in found.problems["monte_carlo"]
    assert "without a result: concentration, monte_carlo" in repr(found)


def test_short_bars_have_shorter_training_windows(wf: ms.WalkForward) -> None:
    short = ms.walk_forward(ms.load_sample("AAPL")[:500], "EmaCrossStrategy", trials=4, workers=1)
    assert measure(short, parts=("regimes",)).training == "6mo"


def test_what_is_refused(wf: ms.WalkForward) -> None:
    with pytest.raises(SettingsError, match="'luck': not a part"):
        measure(wf, parts=("luck",))
    stop = threading.Event()
    stop.set()
    with pytest.raises(RunCancelled, match="before monte_carlo"):
        measure(wf, cancel=stop)


def test_the_regimes_of_a_triggered_run_are_those_of_its_trigger() -> None:
    model = ms.Regimes(states=3, features=("return", "volatility"))
    splitter = ms.OnRegime(model=model, train="2y", max_gap="1y")
    few = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=2, workers=1, splitter=splitter)
    found = measure(few, parts=("regimes", "by_regime"))
    assert found.found["regimes"].settings == model
    assert found.training == "2y"
    assert found.found["by_regime"].equals(few.by_regime(model, train="2y", refit="1y"))
