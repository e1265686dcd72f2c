"""Test windows that end when the regime changes: where they end, what decides it, and what is refused."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SplitError
from maestro.regime import Regimes
from maestro.walkforward.splitters import Window
from maestro.walkforward.triggers import OnRegime

DAILY = OnRegime(train="2y", min_gap="1mo", max_gap="1y")


@pytest.fixture(scope="module")
def apple() -> Bars:
    return ms.load_sample("AAPL")


def switching(n: int = 3_000, every: int = 300, seed: int = 0) -> Bars:
    """Hours whose volatility changes tenfold every so many bars."""
    import polars as pl

    rng = np.random.default_rng(seed)
    size = np.where((np.arange(n) // every) % 2, 0.02, 0.002)
    close = 100 * np.exp(np.cumsum(rng.normal(0, size)))
    time = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 1) + pl.duration(hours=n - 1), "1h", eager=True
    )
    return Bars.from_frame(
        pl.DataFrame({"timestamp": time, "open": close, "high": close, "low": close, "close": close, "volume": 1.0})
    )


def test_windows_follow_one_another_and_train_on_the_length_before(apple: Bars) -> None:
    windows = DAILY.split(apple)
    for before, after in itertools.pairwise(windows):
        assert after.test_start == before.test_stop == after.train_stop
    for w in windows:
        assert w.train_start < w.train_stop == w.test_start < w.test_stop
    assert windows[-1].test_stop == len(apple)


def test_a_change_of_volatility_ends_the_window() -> None:
    bars = switching()
    cuts = OnRegime(train="25d", p=0.95, confirm=3, min_gap="2d", max_gap="3mo").cuts(bars)
    changes = [cut for cut in cuts if cut.reason == "regime"]
    assert len(changes) >= 6
    assert np.median([cut.decided % 300 for cut in changes]) < 10
    for cut in changes:
        assert cut.new_state != cut.state
        assert cut.probability >= 0.95
        assert cut.window.test_stop == cut.decided + 2


def test_the_gaps_hold(apple: Bars) -> None:
    for cut in DAILY.cuts(apple)[:-1]:
        days = (apple.time[cut.window.test_stop] - apple.time[cut.window.test_start]) / 86_400e6
        assert 27 <= days <= 366 + 4


def test_more_confirmation_cuts_less(apple: Bars) -> None:
    quick, slow = (sum(c.reason == "regime" for c in replace(DAILY, confirm=k).cuts(apple)) for k in (1, 15))
    assert slow < quick


def test_later_bars_move_no_window_that_has_ended(apple: Bars) -> None:
    whole = DAILY.split(apple)
    for k in (900, 1_500, 2_000, 3_000):
        part = DAILY.split(apple[:k])
        ended = [w for w in whole if w.test_stop < k - 1]
        assert part[: len(ended)] == ended


def test_the_boundary_audit_lets_the_end_depend_on_the_window_itself(apple: Bars) -> None:
    assert ms.validation.boundary_audit(apple, "EmaCrossStrategy", splitter=DAILY, trials=4).passed


class Foreseen:
    """Ends each test window where a later bar says so."""

    event_stops = True

    def split(self, bars: Bars) -> list[Window]:
        stop = 1_500 + int(bars.close[1_700] * 1e6) % 100
        return [Window(0, 1_000, 1_000, stop), Window(500, stop, stop, 2_500)]

    def to_dict(self) -> dict[str, Any]:
        return {}


def test_the_boundary_audit_finds_an_end_that_a_later_bar_decides(apple: Bars) -> None:
    audit = ms.validation.boundary_audit(apple, "EmaCrossStrategy", splitter=Foreseen(), trials=4, folds=[0])
    assert audit.failed["check"].to_list() == ["splitter"]
    assert "after the test" in audit.failed["finding"][0]


def test_a_walk_forward_runs_on_it(apple: Bars) -> None:
    wf = ms.walk_forward(apple, "EmaCrossStrategy", splitter=DAILY, trials=15, executor="serial")
    assert [tuple(w) for w in DAILY.split(apple)] == [tuple(w) for w in wf.spec.windows]
    assert not len(wf.failed_folds)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "hmm"}, r"give ms\.Regimes"),
        ({"train": "6 months"}, "train='6 months' is not a length"),
        ({"p": 0.5}, "p=0.5"),
        ({"p": True}, "p=True"),
        ({"confirm": 0}, "confirm=0"),
        ({"min_gap": "4mo"}, "longer than max_gap"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SplitError, match=words):
        OnRegime(**settings)


def test_bars_that_are_too_few_or_never_move_are_refused(apple: Bars) -> None:
    with pytest.raises(SplitError, match="finds no fold"):
        OnRegime(train="20y").split(apple)
    with pytest.raises(SplitError, match="rows are too few"):
        OnRegime(train="1mo", min_gap="1w", max_gap="2w", model=Regimes(states=4)).split(apple)


def test_a_run_records_why_each_test_window_ended(apple: Bars, tmp_path: Path) -> None:
    wf = ms.walk_forward(
        apple, "EmaCrossStrategy", splitter="on-regime:2y,min_gap=1mo,max_gap=1y", trials=4, executor="serial",
        runs_dir=tmp_path,
    )  # fmt: skip
    cuts = DAILY.cuts(apple)
    recorded = ms.load_run(wf.id, tmp_path).manifest["cuts"]
    assert [cut["reason"] for cut in recorded] == [cut.reason for cut in cuts]
    assert [tuple(cut["window"]) for cut in recorded] == list(wf.spec.windows)
    for cut in recorded:
        assert (cut["probability"] is None) == (cut["new_state"] is None) == (cut["reason"] != "regime")
        assert cut["fit"]
    note = next(n for n in wf.notes if n.startswith("Test windows ended:"))
    assert f"{sum(c.reason == 'regime' for c in cuts)} by a change of regime" in note
    assert "ms.validation.retiming(wf)" in note


def test_the_python_lines_of_a_run_give_the_same_run(apple: Bars) -> None:
    splitter = replace(DAILY, model=Regimes(states=3))
    wf = ms.walk_forward(apple, "EmaCrossStrategy", splitter=splitter, trials=2, executor="serial")
    made: dict[str, Any] = {}
    exec(wf.manifest["python"], made)
    assert made["wf"].id == wf.id


def test_a_recorded_run_is_verified_with_its_trigger(apple: Bars, tmp_path: Path) -> None:
    wf = ms.walk_forward(
        apple, "EmaCrossStrategy", splitter=DAILY, trials=3, executor="serial", runs_dir=tmp_path
    )  # fmt: skip
    assert ms.verify(wf.id, runs_dir=tmp_path).equal
