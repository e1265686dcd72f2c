"""Finished folds of a run in progress: read from its folder, drawn as they come, hidden while there is none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import maestro as ms
from maestro._core import formatting as formats
from maestro.apps.walk_forward import partial, session
from maestro.apps.walk_forward.partial import FinishedFolds
from maestro.apps.walk_forward.state import WalkForwardState
from tests.apps.walk_forward.conftest import Interrupt


class Broken(ms.Strategy):
    n = ms.Int(5, 2, 9)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        raise ZeroDivisionError("division by zero")


@pytest.fixture
def state(tmp_path: Path) -> WalkForwardState:
    return WalkForwardState(trials=5, runs_dir=str(tmp_path))


def drawn(shown: FinishedFolds) -> list[int]:
    return list(shown.table.widget.value["fold"])


def test_finished_folds_are_drawn_while_others_run(
    bars: ms.Bars, interrupt: Interrupt, state: WalkForwardState
) -> None:
    store = interrupt(state, 4)
    whole = session.run(state, bars, keep=False)
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    assert shown.card.visible
    assert shown.headline.object.startswith("<p>4 of 9 folds; return out of sample so far ")
    assert drawn(shown) == [0, 1, 2, 3]
    last = whole.equity.filter(whole.equity["fold"] == 3)["equity"][-1]
    assert formats.percent(last / 100_000 - 1, sign=True) in shown.headline.object
    (store.folder / "partial" / "0001.zip").unlink()
    gap = FinishedFolds()
    gap.look(store.folder, 9)
    assert "Not finished yet: fold 1." in gap.headline.object
    gap.clear()
    assert not gap.card.visible


def test_nothing_is_shown_before_the_first_fold(tmp_path: Path) -> None:
    shown = FinishedFolds()
    shown.look(tmp_path / "not yet", 9)
    assert not shown.card.visible
    assert shown.table.widget is None


def test_a_damaged_fold_is_left_out_until_it_is_whole(interrupt: Interrupt, state: WalkForwardState) -> None:
    store = interrupt(state, 3)
    path = store.folder / "partial" / "0001.zip"
    content = path.read_bytes()
    path.write_bytes(content[:100])
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    assert drawn(shown) == [0, 2]
    assert "Not finished yet: fold 1." in shown.headline.object
    path.write_bytes(content)
    shown._when = -math.inf  # long after the drawing before
    shown.look(store.folder, 9)
    assert drawn(shown) == [0, 1, 2]
    assert "Not finished" not in shown.headline.object


def test_folds_that_come_in_quick_succession_are_drawn_together(
    interrupt: Interrupt, state: WalkForwardState, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(partial.time, "monotonic", lambda: now)
    store = interrupt(state, 3)
    later = store.folder / "partial" / "0002.zip"
    content = later.read_bytes()
    later.unlink()
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    assert drawn(shown) == [0, 1]
    later.write_bytes(content)
    now += 0.5
    shown.look(store.folder, 9)
    assert drawn(shown) == [0, 1]
    now += 0.6
    shown.look(store.folder, 9)
    assert drawn(shown) == [0, 1, 2]


def test_failed_folds_are_counted_and_have_no_curve(interrupt: Interrupt, tmp_path: Path) -> None:
    store = interrupt(WalkForwardState(own=Broken, trials=2, runs_dir=str(tmp_path)), 2)
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    assert shown.headline.object.startswith("<p>2 of 9 folds, 2 of them failed; return out of sample so far ")
    assert shown.equity.object is None
    assert "ZeroDivisionError" in shown.table.widget.value["error"][0]


def test_a_run_without_a_readable_manifest_is_not_drawn(interrupt: Interrupt, state: WalkForwardState) -> None:
    store = interrupt(state, 2)
    (store.folder / "manifest.json").write_text("{")
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    assert not shown.card.visible


def test_another_run_forgets_the_folds_of_the_one_before(
    interrupt: Interrupt, state: WalkForwardState, tmp_path: Path
) -> None:
    shown = FinishedFolds()
    shown.look(interrupt(state, 3).folder, 9)
    shown.look(tmp_path / "another", 9)
    assert not shown.card.visible
    state.seed = 1
    shown.look(interrupt(state, 2).folder, 9)
    assert drawn(shown) == [0, 1]


def test_another_theme_draws_the_same_folds_again(interrupt: Interrupt, state: WalkForwardState) -> None:
    store = interrupt(state, 2)
    shown = FinishedFolds()
    shown.look(store.folder, 9)
    light = shown.equity.object
    shown._when = -math.inf
    shown.look(store.folder, 9)
    assert shown.equity.object is light, "nothing new, nothing drawn"
    shown.theme(True)
    shown.look(store.folder, 9)
    assert shown.equity.object is not light
