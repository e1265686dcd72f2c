"""When a market trades, by its stamps: markets of each kind, with holidays, lost bars and short pieces."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro.bars import Bars
from maestro.bars.calendar import infer_calendar
from maestro.data.timeframes import DAY_US, HOUR_US, infer_timeframe
from maestro.typing import IntArray

MONDAY = 1_704_067_200_000_000  # 2024-01-01


def session(days: int, bars: int, minutes: int, opened: int = 14 * 60 + 30, first: int = MONDAY) -> IntArray:
    """Stamps of sessions on weekdays, in UTC."""
    starts = [first + d * DAY_US for d in range(days) if (d + (first // DAY_US + 3) % 7) % 7 < 5]
    return np.array([s + (opened + minutes * k) * 60_000_000 for s in starts for k in range(bars)])


def round_the_clock(n: int, minutes: int = 60) -> IntArray:
    return MONDAY + np.arange(n) * minutes * 60_000_000


def forex(weeks: int, minutes: int = 60) -> IntArray:
    """From Sunday 22:00 to Friday 22:00 UTC."""
    stamps = MONDAY - 2 * HOUR_US + np.arange(weeks * 168 * 60 // minutes) * minutes * 60_000_000
    into = (stamps - (MONDAY - 2 * HOUR_US)) % (7 * DAY_US)
    return stamps[into < 5 * DAY_US]


@pytest.mark.parametrize(
    ("time", "kind", "per_year"),
    [
        (np.sort(np.r_[session(140, 1, 30, 540), session(140, 1, 30, 750)]), "sessions", 504),  # Tokyo, a long noon
        (round_the_clock(900), "24/7", 8_760),
        (round_the_clock(900, 240), "24/7", 2_190),
        (round_the_clock(60, 1_440), "24/7", 365),
        (session(120, 1, 1_440, 0), "weekdays", 252),
        (session(120, 7, 60), "sessions", 252 * 7),
        (session(21, 78, 5), "sessions", 252 * 78),
        (session(120, 6, 60, 1_380), "sessions", 252 * 6),  # Sydney in summer: over midnight UTC
        (forex(20), "24/5", 260 * 24),
        (forex(20, 15), "24/5", 260 * 96),
        (session(120, 23, 60, -60), "sessions", 252 * 23),  # futures with a pause of an hour
        (MONDAY + np.arange(60) * 7 * DAY_US, "weeks", 52),
    ],
    ids=("Tokyo", "crypto 1h", "crypto 4h", "crypto 1d", "stocks 1d", "stocks 1h", "stocks 5m", "Sydney",
         "forex 1h", "forex 15m", "futures", "weeks"),
)  # fmt: skip
def test_markets_of_each_kind(time: IntArray, kind: str, per_year: float) -> None:
    found = infer_calendar(time, infer_timeframe(time))
    assert (found.kind, found.periods_per_year) == (kind, per_year)
    assert found.certain


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_holidays_and_lost_bars_change_nothing(data: st.DataObject) -> None:
    bars = data.draw(st.integers(4, 13))
    time = session(data.draw(st.integers(60, 300)), bars, 30, data.draw(st.integers(0, 23)) * 60)
    days = np.unique(time // DAY_US)
    holidays = data.draw(st.lists(st.sampled_from(days.tolist()), max_size=len(days) // 15, unique=True))
    time = time[~np.isin(time // DAY_US, holidays)]
    lost = data.draw(st.lists(st.integers(0, len(time) - 1), max_size=len(time) // 50, unique=True))
    time = np.delete(time, lost)
    found = infer_calendar(time, "30m")
    assert (found.kind, found.periods_per_year) == ("sessions", 252 * bars)


def test_holidays_that_cut_sessions_over_midnight_change_nothing() -> None:
    time = session(86, 4, 30, 23 * 60)
    time = time[~np.isin(time // DAY_US, [19_737, 19_744, 19_751, 19_762, 19_765])]
    found = infer_calendar(np.delete(time, [20]), "30m")
    assert (found.kind, found.periods_per_year) == ("sessions", 1_008)


def test_minutes_without_a_trade_are_counted_as_they_come() -> None:
    keep = np.random.default_rng(0).random(60 * 24 * 30) < 0.4
    found = infer_calendar(round_the_clock(60 * 24 * 30, 1)[keep], "1m")
    assert found.kind == "sparse"
    assert found.periods_per_year == pytest.approx(0.4 * 525_600, rel=0.02)


def test_a_few_days_are_reported_as_too_few() -> None:
    assert not infer_calendar(round_the_clock(48), "1h").certain
    few = infer_calendar(session(4, 7, 60), "1h")
    assert (few.kind, few.periods_per_year, few.certain) == ("sessions", 1_764, False)
    assert "too few to tell" in few.text


def bars_of(time: IntArray, timeframe: str | None = None) -> Bars:
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.003, len(time))))
    stamps = pl.Series(time).cast(pl.Datetime("us")).alias("timestamp")
    prices = dict.fromkeys(("open", "high", "low", "close"), pl.Series(close))
    frame = pl.DataFrame([stamps]).with_columns(**prices, volume=1.0)
    return Bars.from_frame(frame, timeframe=timeframe)


def test_one_weekend_between_two_days_is_too_little() -> None:
    friday, monday = 1_709_926_200_000_000, 1_710_163_800_000_000  # 2024-03-08 and 2024-03-11
    hours = np.arange(2) * 3_600_000_000
    calendar = infer_calendar(np.r_[friday + hours, monday + hours], "1h")
    assert not calendar.certain


def test_slices_keep_the_calendar_of_the_whole_and_notes_state_it() -> None:
    bars = bars_of(session(120, 7, 60))
    assert bars.notes == ("1,764 bars a year: sessions of 7 bars on 252 trading days",)
    assert bars[:5].calendar is bars.calendar
    assert bars[:5].periods_per_year == 1_764


@pytest.mark.parametrize(
    ("time", "timeframe", "per_year"),
    [
        (session(140, 7, 60), "1d", 252),
        (session(140, 7, 60), "1w", 52),
        (session(140, 7, 60), "1mo", 12),
        (session(140, 78, 5), "15m", 252 * 26),
        (session(140, 78, 5), "1h", 252 * 7),
        (round_the_clock(3_000), "1d", 365),
        (round_the_clock(3_000), "4h", 2_190),
        (round_the_clock(3_000), "1w", 365 / 7),
        (round_the_clock(9_000), "1q", 4),
        (forex(20), "4h", 260 * 6),
        (session(400, 1, 1_440, 0), "1w", 52),
        (session(400, 1, 1_440, 0), "1mo", 12),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::maestro.bars.bars.BarsWarning")
def test_resampled_bars_follow_the_calendar(time: IntArray, timeframe: str, per_year: float) -> None:
    coarse = bars_of(time).resample(timeframe)
    assert coarse.periods_per_year == pytest.approx(per_year)
    assert coarse.timeframe == timeframe
    assert coarse.notes[0] == coarse.calendar.text


@pytest.mark.filterwarnings("error::maestro.bars.bars.BarsWarning")
def test_a_week_that_ends_on_friday_is_whole() -> None:
    daily = bars_of(session(26 * 7, 1, 1_440, 0))
    assert len(daily.resample("1w")) == 26
    hourly = bars_of(session(26 * 7, 7, 60))
    assert len(hourly.resample("1d")) == len(np.unique(hourly.time // DAY_US))


def test_an_explicit_number_of_bars_per_year_holds() -> None:
    bars = ms.Bars.from_frame(bars_of(session(400, 1, 1_440, 0)).to_frame(), periods_per_year=250)
    assert bars.periods_per_year == 250
    assert bars.notes == ()
    assert bars.calendar.text == "250 bars a year: as given"


def test_annual_figures_that_the_dates_contradict_are_a_finding() -> None:
    every = session(800, 1, 1_440, 0)
    bars = bars_of(np.delete(every, np.arange(20, len(every), 29)))  # nine holidays a year
    assert "annualisation" not in bars.quality().table["check"].to_list()
    wrong = ms.Bars.from_frame(bars.to_frame(), periods_per_year=365)
    found = [f for f in wrong.quality().findings if f.check == "annualisation"]
    assert len(found) == 1
    assert "periods_per_year=252" in found[0].meaning
