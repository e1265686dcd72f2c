"""What small changes do: unchanged, every map gives the run's own figures; changed, what can be worked out by hand."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.errors import RunCancelled, SettingsError
from maestro.validation import cost_map, geometry_map, neighbourhood, perturbations


def test_a_loaded_run_is_as_good_as_a_live_one(bars: ms.Bars, tmp_path: Path) -> None:
    live = ms.walk_forward(bars, "EmaCrossStrategy", trials=6, workers=1, runs_dir=tmp_path)
    loaded = ms.load_run(live.id, tmp_path)
    assert neighbourhood(loaded).table.equals(neighbourhood(live).table)
    assert perturbations(loaded, repetitions=2).table.equals(perturbations(live, repetitions=2).table)


def test_a_run_without_a_result_has_nothing_to_change(bars: ms.Bars) -> None:
    class Broken(ms.Strategy):
        n = ms.Int(5, 2, 40)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise ValueError("on purpose")

    run = ms.walk_forward(bars, Broken, trials=2, workers=1)
    for call in (neighbourhood, geometry_map, cost_map, perturbations):
        with pytest.raises(SettingsError, match=r"no fold of run .* has a result"):
            call(run)


def test_nothing_counts_in_the_ledger(wf: ms.WalkForward, bars: ms.Bars) -> None:
    before = ms.Ledger(bars).trials
    neighbourhood(wf)
    geometry_map(wf, trains=(1,), tests=(1,), offsets=(0,), trials=3, workers=1)
    cost_map(wf)
    perturbations(wf, repetitions=1)
    assert ms.Ledger(bars).trials == before


@pytest.mark.parametrize("call", [neighbourhood, geometry_map, cost_map, perturbations])
def test_all_can_be_cancelled_and_tell_what_is_done(wf: ms.WalkForward, call: Any) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def tell(done: int) -> None:
        seen.append(done)
        stop.set()

    one = {"workers": 1} if call is geometry_map else {}
    with pytest.raises(RunCancelled, match="cancelled; no result is kept"):
        call(wf, progress=tell, cancel=stop, **one)
    assert len(seen) == 1
