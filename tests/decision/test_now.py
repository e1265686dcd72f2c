"""Parameters for now are those of the fold that a later walk-forward would choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.decision.now import extended_bars, next_window
from maestro.errors import BarsError, RunError
from maestro.reproduce.plan import windows_of
from maestro.walkforward.splitters import Window

WHOLE = ms.load_sample("AAPL")
BARS = WHOLE[:2_400]


class Given:
    """A splitter of given windows."""

    def __init__(self, windows: list[Window], **settings: Any) -> None:
        self.windows, self.settings = windows, settings

    def split(self, bars: ms.Bars) -> list[Window]:
        return self.windows

    def to_dict(self) -> dict[str, Any]:
        return {"windows": len(self.windows), **self.settings}


@pytest.mark.parametrize(
    ("splitter", "settings"),
    [
        ("rolling:10,2,1", {}),
        ("rolling:10,2,1,purge=5", {"search": "random"}),
        ("expanding:4", {"select": "vwr"}),
        ("calendar:2y,6mo", {}),
        ("rolling:6,2,1", {"warm_start": True, "trials": 12}),
    ],
)
def test_the_next_fold_of_a_later_walk_forward_chooses_the_same(splitter: str, settings: dict[str, Any]) -> None:
    common = {"trials": 15, "seed": 4, "executor": "serial", **settings}
    wf = ms.walk_forward(BARS, "EmaCrossStrategy", splitter=splitter, **common)
    windows = windows_of(wf)
    following = next_window(wf, BARS, windows)
    test = Window(following.train_start, following.train_stop, len(BARS), len(BARS) + 100)
    later = ms.walk_forward(WHOLE, "EmaCrossStrategy", splitter=Given([*windows, test]), **common)
    found, row = wf.now(), later.folds.row(-1, named=True)
    assert found.params == {name: row[name] for name in found.params}
    assert found.in_sample["sharpe_ratio"] == row["is_sharpe_ratio"]
    assert found.trials.equals(later.trials.filter(pl.col("fold") == len(windows)))
    assert found.changes["parameter"].to_list() == ["fast", "slow"]
    last = wf.folds.row(-1, named=True)
    assert found.changes["last"].to_list() == [str(last["fast"]), str(last["slow"])]
    assert found.changes["moved"][0] == pytest.approx(abs(found.params["fast"] - last["fast"]) / 95)


def test_a_run_from_disk_gives_the_same_and_newer_bars_move_the_window(tmp_path: Any) -> None:
    wf = ms.walk_forward(BARS, "RSIStrategy", trials=10, executor="serial", runs_dir=tmp_path)
    loaded = ms.load_run(wf.id, tmp_path)
    assert loaded.now(BARS).to_dict() == wf.now().to_dict()
    newer = wf.now(WHOLE[:2_500])
    assert newer.trained_until > wf.now().trained_until
    assert newer.trained_from > wf.now().trained_from


def test_longer_bars_have_the_bars_per_year_of_the_run() -> None:
    frame = BARS.to_frame()
    own = ms.Bars.from_frame(frame, provider=BARS.provider, symbol=BARS.symbol, periods_per_year=100.0)
    wf = ms.walk_forward(own, "RSIStrategy", trials=10, executor="serial", splitter="rolling:6,2,1")
    longer = ms.Bars.from_frame(WHOLE[:2_500].to_frame(), periods_per_year=252.0)
    same = ms.Bars.from_frame(WHOLE[:2_500].to_frame(), periods_per_year=100.0)
    assert extended_bars(wf, longer).periods_per_year == 100.0
    assert longer.periods_per_year == 252.0  # the given bars stay as they are
    assert wf.now(longer).to_dict() == wf.now(same).to_dict()
    assert wf.now(BARS).to_dict() == wf.now().to_dict()


def test_other_bars_and_a_search_without_a_choice_are_refused() -> None:
    wf = ms.walk_forward(BARS, "RSIStrategy", trials=5, executor="serial")
    with pytest.raises(BarsError, match="do not begin with those of run"):
        wf.now(WHOLE[10:])
    flat = ms.Bars.from_frame(
        WHOLE[:2_500].to_frame().with_columns(
            pl.when(pl.int_range(pl.len()) < 2_400).then(pl.col(name)).otherwise(pl.col("close").get(2_399)).alias(name)
            for name in ("open", "high", "low", "close")
        ),
        periods_per_year=252,
    )  # fmt: skip
    short = ms.walk_forward(flat, "RSIStrategy", trials=3, executor="serial", splitter="rolling:50,1,1")
    with pytest.raises(RunError, match="no parameters can be chosen on the most recent training window"):
        short.now()


def test_a_triggered_run_trains_on_the_window_that_its_trigger_would_open() -> None:
    common: dict[str, Any] = {"trials": 8, "executor": "serial"}
    trigger = ms.OnRegime(train="2y", min_gap="3mo", max_gap="1y")
    later = ms.walk_forward(BARS, "EmaCrossStrategy", splitter=trigger, **common)
    windows = windows_of(later)
    day = 86_400_000_000
    fold = next(k for k, w in enumerate(windows) if k > 1 and np.diff(BARS.time[w.test_start - 1 :])[0] == day)
    start = windows[fold].test_start
    wf = ms.walk_forward(BARS[:start], "EmaCrossStrategy", splitter=trigger, **common)
    assert windows_of(wf) == windows[:fold]
    found, row = wf.now(), later.folds.row(fold, named=True)
    assert found.params == {name: row[name] for name in found.params}
    assert found.trials.equals(later.trials.filter(pl.col("fold") == fold))
