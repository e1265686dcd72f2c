"""The Walk-forward app follows its controls in a thread, up to a limit of measured time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue

import pytest

import maestro as ms
from maestro.apps.shared.latest import Latest
from maestro.apps.walk_forward import following
from maestro.apps.walk_forward.app import App


def test_a_page_stays_usable_while_a_result_is_computed_and_shows_the_last_one(bars: ms.Bars, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(ms.Strategy):
        n = ms.Int(5, 2, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                assert go_on.wait(600)
            return ms.Signals(bars.close > bars.open, bars.close < bars.open)

    page = App(bars, own=Slow, trials=2, runs_dir=str(tmp_path))
    before = page.wf
    calls: Queue[Callable[[], None]] = Queue()
    page._latest = Latest(calls.put)
    page.state.seed = 1
    assert begun.wait(600)
    assert page.view.working.visible
    assert page.wf is before
    page.state.seed = 2  # while the result of seed 1 is being computed
    go_on.set()
    while page.view.working.visible:
        calls.get(timeout=600)()
    assert page.wf is not None
    assert page.wf.spec.seed == 2
    assert page.view.stale.line.text == ""


def test_what_takes_longer_than_the_limit_is_left_to_a_start(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LIMIT", -1.0)  # every measured time is longer
    page = App(bars, trials=5, runs_dir=str(tmp_path))
    assert page.wf is None
    assert page.view.windows.object is not None
    assert page.view.message.text.startswith("Start computes these settings (9 folds, ")
    assert not page.view.working.visible
    asked = page._follower._seconds
    assert len(asked) == 1
    monkeypatch.setattr(following.Follower, "_run", None)  # the second time nothing is tried in vain
    page.state.seed = 3
    assert page.wf is None
    monkeypatch.undo()
    asked.clear()
    page.state.seed = 4
    assert page.wf is not None
