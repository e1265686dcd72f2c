"""Splitters: the pinned arithmetic, the rules that every window keeps, the calendar, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maestro as ms
from maestro.bars import Bars
from maestro.errors import SplitError
from maestro.walkforward.splitters import Window, checked


def bars_at(stamps: list[datetime], timeframe: str, prices: Any = None) -> Bars:
    close = np.full(len(stamps), 100.0) if prices is None else prices
    frame = pl.DataFrame(
        {"timestamp": stamps, "open": close, "high": close, "low": close, "close": close, "volume": 1.0}
    )
    return Bars.from_frame(frame, provider="T", symbol="S", timeframe=timeframe)


def hours(n: int, prices: Any = None) -> Bars:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    stamps = pl.datetime_range(start, start.replace(year=2035), "1h", eager=True).head(n).to_list()
    return bars_at(stamps, "1h", prices)


LONG = hours(8_760)


def test_rolling_is_the_pinned_arithmetic() -> None:
    windows = ms.Rolling(n_splits=10, train_folds=2, test_folds=1).split(LONG)
    assert len(windows) == 9
    assert windows[0] == Window(0, 1_596, 1_596, 2_392)  # size 796, the remainder of 4 goes to the first training
    assert windows[1] == Window(800, 2_392, 2_392, 3_188)
    assert {w.test_stop - w.test_start for w in windows} == {796}
    assert windows[-1].test_stop == 8_760
    assert ms.Rolling().split(LONG) == windows


@given(
    st.integers(30, 3_000),
    st.integers(1, 20),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_rolling_keeps_its_promises(n: int, splits: int, train: int, test: int, purge: int, embargo: int) -> None:
    splitter = ms.Rolling(n_splits=splits, train_folds=train, test_folds=test, purge=purge, embargo=embargo)
    bars = LONG[:n]
    size = n // (splits + 1)
    try:
        windows = splitter.split(bars)
    except SplitError:
        too_few = splits + 2 - train - test < 1 or size < 1
        assert too_few or size * train - purge < 2 or size * test - embargo < 2
        return
    assert len(windows) == splits + 2 - train - test
    keep_the_rules(windows, n, purge, embargo)
    if test == 1:
        disjoint(windows)
    assert windows[-1].test_stop == n
    assert windows[0].train_start == 0


@given(st.integers(30, 3_000), st.integers(1, 20), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_expanding_and_adaptive_give_exactly_the_number_asked_for(
    n: int, splits: int, purge: int, embargo: int, adaptive: bool
) -> None:
    kind: Any = ms.Adaptive if adaptive else ms.Expanding
    splitter = kind(n_splits=splits, purge=purge, embargo=embargo)
    rng = np.random.default_rng(n)
    bars = hours(n, 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))) if adaptive else LONG[:n]
    try:
        windows = splitter.split(bars)
    except SplitError:
        assert n // (splits + 4) < 10 + purge + embargo
        return
    assert len(windows) == splits
    keep_the_rules(windows, n, purge, embargo)
    disjoint(windows)
    assert windows[-1].test_stop == n
    if not adaptive:
        assert {w.train_start for w in windows} == {0}


def keep_the_rules(windows: list[Window], n: int, purge: int, embargo: int) -> None:
    for w in windows:
        assert 0 <= w.train_start < w.train_stop <= w.test_start < w.test_stop <= n
        assert w.test_start - w.train_stop == purge + embargo
    assert all(a.test_start < b.test_start for a, b in pairwise(windows))


def disjoint(windows: list[Window]) -> None:
    assert all(a.test_stop <= b.test_start for a, b in pairwise(windows))


def test_adaptive_does_not_see_what_comes_after() -> None:
    rng = np.random.default_rng(3)
    returns = rng.normal(0, 0.01, 2_000) * np.where(np.arange(2_000) // 250 % 2, 3.0, 1.0)
    windows = ms.Adaptive(n_splits=8).split(hours(2_000, 100 * np.exp(np.cumsum(returns))))
    lengths = {w.train_stop - w.train_start for w in windows}
    assert len(lengths) > 2  # it does adapt
    for k, window in enumerate(windows):
        other = returns.copy()
        other[window.test_start :] = rng.normal(0, 0.2, 2_000 - window.test_start)
        changed = ms.Adaptive(n_splits=8).split(hours(2_000, 100 * np.exp(np.cumsum(other))))
        assert changed[: k + 1] == windows[: k + 1], k


def test_adaptive_trains_shorter_where_volatility_rose() -> None:
    rng = np.random.default_rng(0)
    calm, wild = rng.normal(0, 0.005, 1_500), rng.normal(0, 0.05, 500)
    windows = ms.Adaptive(n_splits=8, train_folds=3).split(hours(2_000, 100 * np.exp(np.cumsum([*calm, *wild]))))
    first, last = windows[0], windows[-1]
    assert last.train_stop - last.train_start < first.train_stop - first.train_start


def day(year: int, month: int, of: int = 1) -> datetime:
    return datetime(year, month, of, tzinfo=UTC)


def dates(bars: Bars, windows: list[Window]) -> list[tuple[datetime, ...]]:
    stamps = bars.to_frame()["timestamp"].to_list()
    return [
        (stamps[w.train_start], stamps[w.train_stop - 1], stamps[w.test_start], stamps[w.test_stop - 1])
        for w in windows
    ]


def days(first: datetime, last: datetime, keep: Any = lambda stamp: True) -> Bars:
    return bars_at([s for s in pl.datetime_range(first, last, "1d", eager=True).to_list() if keep(s)], "1d")


def test_calendar_months_begin_on_the_first() -> None:
    bars = days(day(2020, 1), day(2020, 12, 31))
    found = dates(bars, ms.Calendar(train="6mo", test="1mo").split(bars))
    assert found[0] == (day(2020, 1), day(2020, 6, 30), day(2020, 7), day(2020, 7, 31))
    assert found[-1] == (day(2020, 6), day(2020, 11, 30), day(2020, 12), day(2020, 12, 31))
    assert len(found) == 6


def test_calendar_knows_leap_years() -> None:
    bars = days(day(2020, 1), day(2020, 4, 30))
    found = dates(bars, ms.Calendar(train="1mo", test="1mo").split(bars))
    assert [(f[2], f[3]) for f in found] == [
        (day(2020, 2), day(2020, 2, 29)), (day(2020, 3), day(2020, 3, 31)), (day(2020, 4), day(2020, 4, 30)),
    ]  # fmt: skip


def test_calendar_begins_with_the_first_whole_month_and_ends_with_the_last() -> None:
    bars = days(day(2020, 1, 15), day(2020, 8, 20))
    found = dates(bars, ms.Calendar(train="3mo", test="1mo").split(bars))
    assert found[0] == (day(2020, 2), day(2020, 4, 30), day(2020, 5), day(2020, 5, 31))
    assert found[-1][3] == day(2020, 7, 31)


def test_calendar_weeks_begin_on_mondays() -> None:
    bars = days(day(2021, 3, 3), day(2021, 5, 2))  # a Wednesday to a Sunday
    found = dates(bars, ms.Calendar(train="2w", test="1w").split(bars))
    assert found[0] == (day(2021, 3, 8), day(2021, 3, 21), day(2021, 3, 22), day(2021, 3, 28))
    assert {f[2].weekday() for f in found} == {0}
    assert found[-1][3] == day(2021, 5, 2)


def test_calendar_steps_may_overlap_or_leave_out() -> None:
    bars = days(day(2020, 1), day(2020, 12, 31))
    assert len(ms.Calendar(train="6mo", test="2mo", step="1mo").split(bars)) == 5
    assert [w[2] for w in dates(bars, ms.Calendar(train="3mo", test="1mo", step="1q").split(bars))] == [
        day(2020, 4), day(2020, 7), day(2020, 10),
    ]  # fmt: skip


def test_calendar_with_mixed_units_trains_a_whole_window() -> None:
    bars = days(day(2020, 1), day(2020, 12, 31))
    for train_start, _, test_start, _ in dates(bars, ms.Calendar(train="45d", test="1mo").split(bars)):
        assert (test_start - train_start).days == 45
        assert test_start.day == 1


def test_calendar_leaves_out_windows_in_which_the_market_was_closed() -> None:
    bars = days(day(2020, 1), day(2020, 12, 31), keep=lambda stamp: stamp.month != 9)
    found = dates(bars, ms.Calendar(train="3mo", test="1mo").split(bars))
    assert [f[2].month for f in found] == [4, 5, 6, 7, 8, 10, 11, 12]
    assert found[5][1] == day(2020, 8, 31)  # training before October: July, August and an empty September


def test_calendar_leaves_out_a_thin_window_and_names_its_date() -> None:
    shut = {date(2001, 9, k) for k in range(11, 17)}
    bars = days(day(2001, 1), day(2003, 6, 19), keep=lambda stamp: stamp.weekday() < 5 and stamp.date() not in shut)
    weeks = ms.Calendar(train="1q", test="1w")
    windows = weeks.split(bars)
    assert len(windows) == 115 - 1
    assert day(2001, 9, 10) not in [found[2] for found in dates(bars, windows)]
    (note,) = weeks.notes(bars)
    assert note == "1 test window of 1w left out, with fewer than 2 bars to train or test on: from 2001-09-10."
    wf = ms.walk_forward(bars, "RSIStrategy", trials=2, splitter=weeks, workers=1)
    assert note in wf.notes
    assert ms.Calendar().notes(bars) == []


def test_calendar_with_a_gap_at_the_edges_takes_the_bars_that_are_there() -> None:
    bars = days(day(2020, 1), day(2020, 6, 30), keep=lambda stamp: stamp.day > 5)
    first = dates(bars, ms.Calendar(train="2mo", test="1mo").split(bars))[0]
    assert first == (day(2020, 2, 6), day(2020, 3, 31), day(2020, 4, 6), day(2020, 4, 30))


@pytest.mark.parametrize("length", ["1m", "month", "6 mo", "0d", "-1d", "1.5d", "", 6, "30min"])
def test_calendar_refuses_a_length_that_it_may_misread(length: Any) -> None:
    with pytest.raises(SplitError, match="is not understood; give a length like '6mo', '2w' or '90d'"):
        ms.Calendar(train=length, test="1mo").split(LONG)


def test_the_error_of_no_possible_fold_has_a_remedy() -> None:
    short = LONG[:8]
    with pytest.raises(SplitError, match=r"cuts 8 bars into 11 folds of 0.*give more bars or fewer splits"):
        ms.Rolling().split(short)
    with pytest.raises(SplitError, match=r"Expanding finds no fold in 8 bars; give more bars, fewer splits"):
        ms.Expanding().split(short)
    with pytest.raises(SplitError, match=r"Adaptive finds no fold in 8 bars"):
        ms.Adaptive().split(short)
    with pytest.raises(SplitError, match=r"finds no whole window between 2020-01-01.*give more bars or other lengths"):
        ms.Calendar().split(short)
    with pytest.raises(
        SplitError, match=r"fold 0 of 110 bars would have 0 training and 10 test bars \(purge 20, embargo 0\)"
    ):
        ms.Rolling(purge=20).split(LONG[:110])
    with pytest.raises(SplitError, match=r"no split of 9 \+ 3 folds"):
        ms.Rolling(n_splits=10, train_folds=9, test_folds=3).split(LONG)


@pytest.mark.parametrize("settings", [{"n_splits": 0}, {"purge": -1}, {"embargo": 1.5}, {"train_folds": True}])
def test_impossible_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SplitError, match=rf"Rolling: {next(iter(settings))}=.* is not a whole number of at least"):
        ms.Rolling(**settings)


def test_adaptive_refuses_bounds_the_wrong_way_round() -> None:
    with pytest.raises(SplitError, match="give 0 < shortest <= longest"):
        ms.Adaptive(shortest=2.0, longest=1.0).split(LONG)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([], "gives no fold for 100 bars"),
        ([(0, 50, 40, 60)], "training must come before testing"),
        ([(0, 50, 50, 101)], "of 100 bars"),
        ([(50, 90, 10, 40)], "training must come before testing"),
        ([(-5, 50, 50, 60)], "training must come before testing"),
        ([(0, 50, 50, 50)], "training must come before testing"),
        ([(0, 10, 20)], "a splitter returns four whole numbers"),
        ([(0, 10.5, 20, 30)], "a splitter returns four whole numbers"),
        ([7], "a splitter returns four whole numbers"),
    ],
)
def test_windows_of_a_splitter_of_ones_own_are_held_to_the_rules(windows: list[Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        checked(windows, 100)


def test_a_splitter_of_ones_own_needs_only_split() -> None:
    class Halves:
        def split(self, bars: Bars) -> list[tuple[int, int, int, int]]:
            return [(0, len(bars) // 2, len(bars) // 2, len(bars))]

    wf = ms.walk_forward(ms.synthetic_bars(400, seed=2), "EmaCrossStrategy", splitter=Halves(), trials=3,
                         space={"slow": (20, 60)})  # fmt: skip
    assert wf.folds["test_start"].to_list() == [ms.synthetic_bars(400, seed=2).to_frame()["timestamp"][200]]
    assert wf.spec.windows == ((0, 200, 200, 400),)
