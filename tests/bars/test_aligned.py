"""Closed bars of a longer timeframe against brute force, and wrong alignments that the look-ahead check catches."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro.bars import Bars
from maestro.errors import BarsError

HOUR = 3_600_000_000
ALIGNMENTS = int(os.environ.get("MAESTRO_TEST_ALIGNMENTS", "200"))
"""Random series that are aligned by a plain loop too; 1,000 in CI."""


def hours(stamps: list[int], seed: int = 0) -> Bars:
    """Bars that open at the given hours since 2024-01-01."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(stamps))))
    opened = close * np.exp(rng.normal(0, 0.003, len(stamps)))
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    time = pl.Series(stamps).cast(pl.Int64) * HOUR + 1_704_067_200_000_000
    frame = pl.DataFrame(
        {"open": opened, "high": high, "low": low, "close": close, "volume": rng.uniform(1, 9, len(stamps))}
    )
    return Bars.from_frame(frame.insert_column(0, time.cast(pl.Datetime("us")).alias("timestamp")), timeframe="1h")


def plain_higher(bars: Bars, k: int) -> list[dict[str, float]]:
    """Whole bars of `k` hours as a loop would make them."""
    found: dict[int, dict[str, float]] = {}
    for i in range(len(bars)):
        start = int(bars.time[i]) // (k * HOUR) * (k * HOUR)
        one = found.setdefault(
            start, {"time": start, "open": bars.open[i], "high": -np.inf, "low": np.inf, "volume": 0.0}
        )
        one["high"], one["low"] = max(one["high"], bars.high[i]), min(one["low"], bars.low[i])
        one["close"], one["volume"] = bars.close[i], one["volume"] + bars.volume[i]
    rows = list(found.values())
    if bars.time[0] > rows[0]["time"]:
        rows = rows[1:]
    if rows and bars.time[-1] + HOUR < rows[-1]["time"] + k * HOUR:
        rows = rows[:-1]
    return rows


def plain_at(bars: Bars, rows: list[dict[str, float]], k: int, values: Any) -> list[float]:
    out = []
    for i in range(len(bars)):
        known = [v for row, v in zip(rows, values, strict=True) if row["time"] + k * HOUR <= bars.time[i] + HOUR]
        out.append(float(known[-1]) if known else np.nan)
    return out


@settings(max_examples=ALIGNMENTS, deadline=None)
@given(
    st.lists(st.integers(0, 90), min_size=40, max_size=80, unique=True),
    st.sampled_from([2, 3, 4, 6, 24]),
    st.integers(0, 99),
)
def test_alignment_is_that_of_a_plain_loop(stamps: list[int], k: int, seed: int) -> None:
    steps = np.diff(sorted(stamps))
    assume(len(stamps) < 3 or (np.median(steps) == 1))
    bars = hours(sorted(stamps), seed)
    higher = bars.higher(f"{k}h")
    rows = plain_higher(bars, k)
    assert len(higher) == len(rows)
    for name in ("time", "open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(higher, name), [row[name] for row in rows])
    np.testing.assert_allclose(higher.volume, [row["volume"] for row in rows])
    np.testing.assert_array_equal(higher.at(higher.close), plain_at(bars, rows, k, higher.close))
    forming = higher.forming
    for i in range(len(bars)):
        mine = [j for j in range(i + 1) if bars.time[j] // (k * HOUR) == bars.time[i] // (k * HOUR)]
        assert forming.open[i] == bars.open[mine[0]]
        assert forming.high[i] == bars.high[mine].max()
        assert forming.low[i] == bars.low[mine].min()
        assert forming.close[i] == bars.close[i]
        assert forming.volume[i] == pytest.approx(bars.volume[mine].sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(30, 199), st.sampled_from(["4h", "1d"]), st.integers(0, 99))
def test_later_bars_change_nothing(k: int, timeframe: str, seed: int) -> None:
    bars = hours(list(range(3, 203)), seed)
    whole, part = bars.higher(timeframe), bars[:k].higher(timeframe)
    np.testing.assert_array_equal(part.at(part.close), whole.at(whole.close)[:k])
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(part.forming, name), getattr(whole.forming, name)[:k])


def test_a_value_is_there_from_the_close_of_the_last_bar_inside() -> None:
    bars = hours(list(range(0, 12)))
    at = bars.higher("4h").at(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(at, [np.nan] * 3 + [1.0] * 4 + [2.0] * 4 + [3.0])


def test_it_is_what_resample_gives() -> None:
    bars = ms.synthetic_bars(1_000)
    resampled, higher = (
        bars.resample("1d") if len(bars) % 24 == 0 else bars[:984].resample("1d"),
        bars[:984].higher("1d"),
    )
    np.testing.assert_array_equal(higher.close, resampled.close)
    np.testing.assert_array_equal(higher.time, resampled.time)


def test_before_the_first_whole_bar_there_is_nothing() -> None:
    higher = hours([1, 2, 3]).higher("1d")
    assert len(higher) == 0
    assert np.isnan(higher.at(ms.indicators.ema(higher.close, 5))).all()
    assert repr(higher) == "AlignedBars(1d, 0 closed bars for 3 bars)"


def test_the_same_object_and_column_come_back() -> None:
    bars = ms.synthetic_bars(500)
    higher = bars.higher("4h")
    assert bars.higher("4h") is higher
    column = ms.indicators.ema(higher.close, 5)
    assert higher.at(column) is higher.at(column)
    assert not higher.at(column).flags.writeable
    own = np.ones(len(higher))
    first = higher.at(own)
    own[:] = 2.0
    assert first[-1] == 1.0
    assert higher.at(own)[-1] == 2.0


def test_wrong_use_is_refused_by_name() -> None:
    bars = ms.synthetic_bars(500)
    with pytest.raises(BarsError, match="cannot make 1h bars of 1h bars"):
        bars.higher("1h")
    with pytest.raises(BarsError, match="one value for each of the 20 1d bars, got shape"):
        bars.higher("1d").at(bars.close)


class Right(ms.Strategy):
    """Trades with the trend of the longer timeframe."""

    slow = ms.Int(5, 3, 12)

    def signals(self, bars: Bars) -> ms.Signals:
        higher = bars.higher("4h")
        trend = higher.at(ms.indicators.sma(higher.close, self.slow))
        return ms.Signals.flip(bars.close > trend, bars.close < trend)


class AtTheOpen(ms.Strategy):
    """Takes the longer bar's value at its open, as if its close were known: the classic mistake."""

    slow = ms.Int(5, 3, 12)

    def signals(self, bars: Bars) -> ms.Signals:
        higher = bars.higher("4h")
        trend = ms.indicators.sma(higher.close, self.slow)
        early = np.clip(np.searchsorted(higher.time, bars.time, side="right") - 1, 0, len(higher) - 1)
        return ms.Signals.flip(bars.close > trend[early], bars.close < trend[early])


class ABarLate(ms.Strategy):
    """Waits a bar longer than it must: not a leak."""

    def signals(self, bars: Bars) -> ms.Signals:
        higher = bars.higher("4h")
        trend = np.concatenate(([np.nan], higher.at(higher.close)[:-1]))
        return ms.Signals.flip(bars.close > trend, bars.close < trend)


def test_the_look_ahead_check_catches_the_wrong_way_and_no_other() -> None:
    bars = ms.synthetic_bars(2_000, seed=3)
    assert not ms.validation.lookahead(bars, AtTheOpen()).passed
    assert ms.validation.lookahead(bars, Right()).passed
    assert ms.validation.lookahead(bars, ABarLate()).passed


def test_it_works_in_searches_on_processes_and_in_verification() -> None:
    bars = ms.synthetic_bars(1_500, seed=1)
    runs = [
        ms.walk_forward(bars, Right, trials=6, executor=kind, workers=2) for kind in ("serial", "processes", "threads")
    ]
    assert runs[0].folds.equals(runs[1].folds)
    assert runs[0].folds.equals(runs[2].folds)
    assert ms.verify(runs[0], folds="all").equal
