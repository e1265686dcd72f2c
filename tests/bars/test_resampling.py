"""Resampled bars against polars, settlements and known values kept, and what cannot be resampled."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro.bars import Bars, BarsWarning
from maestro.errors import BarsError
from tests.bars.test_bars import HOUR, START, bars


def by_polars(made: Bars, every: str) -> pl.DataFrame:
    return (
        made.to_frame()
        .group_by_dynamic("timestamp", every=every)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
    )


def same(one: Bars, other: pl.DataFrame) -> None:
    mine = one.to_frame()
    assert mine["timestamp"].to_list() == other["timestamp"].to_list()
    for name in ("open", "high", "low", "close"):
        assert mine[name].to_list() == other[name].to_list(), name
    np.testing.assert_allclose(mine["volume"].to_numpy(), other["volume"].to_numpy(), rtol=1e-14)


@pytest.mark.parametrize(("timeframe", "every"), [("4h", "4h"), ("1d", "1d"), ("1w", "1w"), ("2h", "2h")])
def test_resampled_bars_are_what_polars_groups(real_hours: Bars, timeframe: str, every: str) -> None:
    expected = by_polars(real_hours, every)
    if timeframe == "1w":
        with pytest.warns(BarsWarning, match="unfinished last 1w bar"):
            made = real_hours.resample(timeframe)
        assert made.notes[-1].startswith(f"{len(real_hours) - 7 * 24 * 52} 1h bars")
        same(made, expected[:-1])
    else:
        same(real_hours.resample(timeframe), expected)


def test_unfinished_bars_are_dropped_with_a_warning() -> None:
    made = bars(27)[3:]
    with pytest.warns(BarsWarning) as warned:
        coarse = made.resample("4h")
    message = ["1 1h bars of an unfinished first 4h bar dropped", "3 1h bars of an unfinished last 4h bar dropped"]
    assert [str(w.message) for w in warned] == message
    assert all(w.filename == __file__ for w in warned)
    assert list(coarse.notes[1:]) == message
    same(coarse, by_polars(made, "4h")[1:-1])
    assert (coarse.timeframe, coarse.periods_per_year) == ("4h", 2_190)


def test_days_on_the_utc_clock_not_on_the_first_bar() -> None:
    with pytest.warns(BarsWarning):
        days = bars(72)[5:].resample("1d")
    assert [str(day) for day in days.timestamp] == ["2024-01-02T00:00:00.000000", "2024-01-03T00:00:00.000000"]


@pytest.mark.parametrize(
    ("timeframe", "message"),
    [
        ("1h", "cannot make 1h bars of 1h bars; give a longer timeframe that is a multiple"),
        ("90m", "cannot make 90m bars of 1h bars"),
        ("30m", "cannot make 30m bars"),
        ("1w", "10 1h bars do not cover one whole 1w bar"),
        ("month", "timeframe 'month' is not understood"),
    ],
)
def test_impossible_resampling(timeframe: str, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        bars(10).resample(timeframe)


def test_a_settlement_inside_a_long_bar_belongs_to_the_next_open() -> None:
    # Settled at 00, 08 and 16 o'clock on each of two days; bars of one hour into bars of a day.
    rate = [0.001 * (1 + i) if i % 8 == 0 else None for i in range(72)]
    days = bars(72, funding_rate=rate).resample("1d")
    assert days.funding_rate is not None
    assert days.funding_count is not None
    np.testing.assert_allclose(days.funding_rate, [0.001, 0.009 + 0.017 + 0.025, 0.033 + 0.041 + 0.049])
    assert days.funding_count.tolist() == [1, 3, 3]


def test_no_settlement_stays_none_and_a_zero_one_counts() -> None:
    rate = [None] * 4 + [0.0, None, None, None] + [None] * 4
    coarse = bars(12, funding_rate=rate).resample("4h")
    assert coarse.funding_rate is not None
    assert np.isnan(coarse.funding_rate).tolist() == [True, False, True]
    assert coarse.funding_rate[1] == 0.0


def test_known_values_hold_the_last() -> None:
    interest = [1.0, 2.0, None, None] + [None] * 4 + [5.0, None, 7.0, 8.0]
    coarse = bars(12, open_interest=interest).resample("4h")
    np.testing.assert_array_equal(coarse.open_interest, [2.0, np.nan, 8.0])


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(20, 200),
    offset=st.integers(0, 50),
    hole=st.tuples(st.integers(5, 150), st.integers(0, 30)),
    hours=st.sampled_from([2, 3, 4, 6, 8, 12]),
    seed=st.integers(0, 10**6),
)
def test_resampling_any_series(n: int, offset: int, hole: tuple[int, int], hours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    spread = 1 + rng.random(n) * 0.01
    frame = pl.DataFrame(
        {
            "timestamp": START + HOUR * (offset + np.arange(n)),
            "open": close,
            "high": close * spread,
            "low": close / spread,
            "close": close,
            "volume": rng.random(n),
        }
    ).filter(~pl.int_range(pl.len()).is_between(hole[0], hole[0] + hole[1], closed="left"))
    made = Bars.from_frame(frame, timeframe="1h")
    expected = by_polars(made, f"{hours}h")
    length = hours * HOUR
    opens = expected["timestamp"].to_physical()
    whole = expected.filter((opens >= made.time[0]) & (opens + length <= made.time[-1] + HOUR))
    if whole.is_empty():
        with pytest.raises(BarsError, match="do not cover one whole"):
            made.resample(f"{hours}h")
        return
    dropped = len(expected) - len(whole)
    if dropped:
        with pytest.warns(BarsWarning) as warned:
            coarse = made.resample(f"{hours}h")
        assert len(warned) == dropped
    else:
        coarse = made.resample(f"{hours}h")
    same(coarse, whole)
