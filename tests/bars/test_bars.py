"""Bars: what they refuse, how they are cut and resampled, and that their fingerprint is theirs alone."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.bars import Bars
from maestro.errors import BarsError
from tests.bars.tables import HOUR, START, bars, table


def with_value(name: str, row: int, value: float) -> dict[str, Any]:
    column = table()[name].astype(float)
    column[row] = value
    return table(**{name: column})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame(), "the frame is empty; bars need at least one row"),
        (pl.DataFrame(table()).head(0), "the frame is empty"),
        (
            {k: v for k, v in table().items() if k != "close"},
            "missing column close; there are: timestamp, open.*columns={'close': 'NAME'}",
        ),
        (
            {k: v for k, v in table().items() if k not in ("high", "low", "volume")},
            r"missing columns high, low; there are: timestamp, open, close. Name them: columns=.*--column high=NAME",
        ),
        (
            with_value("close", 3, np.nan),
            r"close is missing, NaN or infinite at row 3 \(2024-01-01 03:00\); fill in or remove",
        ),
        (with_value("open", 0, np.inf), r"open is missing, NaN or infinite at row 0"),
        (with_value("low", 2, 0.0), r"low is not above zero at row 2 .* prices must be positive"),
        (with_value("low", 2, -5.0), r"low is not above zero at row 2"),
        (with_value("high", 4, 90.0), r"high is below low at row 4 \(2024-01-01 04:00\); look for swapped columns"),
        (with_value("high", 4, 103.5), r"high is below close at row 4"),
        (with_value("low", 4, 104.5), r"low is above close at row 4"),
        (with_value("volume", 5, np.inf), r"volume is missing, NaN or infinite at row 5 .* fill it with 0"),
        (with_value("volume", 5, -1.0), r"volume is negative at row 5"),
        (
            with_value("timestamp", 5, START + 4 * HOUR),
            r"duplicate timestamp 2024-01-01 04:00:00\+00:00 at rows 4 and 5 \(1 dup",
        ),
        (
            with_value("timestamp", 5, START),
            r"timestamps are not increasing: row 5 is 2024-01-01 00:00.* sort the frame",
        ),
        (pl.DataFrame(table()).reverse(), r"not increasing \(newest first\): row 1"),
        (table(close=["101"] * 9 + ["n/a"]), "close is missing, NaN or infinite at row 9"),
        (table(close=["101"] * 9 + ["soon"]), "column close holds text at row 9: 'soon'; correct or remove the row"),
        (table(close=[True] * 10), "column close has type Boolean; give numbers"),
        (table(timestamp=[None, *range(9)]), "the timestamp is missing at row 0; 1 in all"),
        (
            table(timestamp=[f"day {i}" for i in range(10)]),
            "the timestamp 'day 0' at row 0 is not understood; read are ISO dates",
        ),
        (table(timestamp=[True] * 10), "the timestamp has type Boolean; give dates, text or epoch numbers"),
        (
            table(timestamp=[*(1.7e9 + np.arange(9)), np.nan]),
            "the timestamp is nan at row 9; give finite epoch numbers",
        ),
        (
            table(timestamp=list(range(5)) + [1_700_000_005_000 + i for i in range(5)]),
            "mix units",
        ),
        (
            with_value("low", 2, 5e-324),
            "low is too small or too large at row 2 .* prices lie between 1e-100 and 1e.100",
        ),
        (table(open=[1e101] * 10, high=[1e101] * 10), "open is too small or too large at rows 0"),
        (table(funding_rate=[1e-4] * 9 + [-1e308]), "funding_rate is above 100 % at row 9 .* give fractions"),
        (table(open_interest=[np.inf] * 10), "open_interest is infinite at rows 0 .* and 5 more; leave it empty"),
        (None, "cannot read a NoneType as bars; give a polars or pandas frame"),
        (np.zeros((5, 6)), "no header, and no column that holds dates"),
        (np.zeros((5, 6, 2)), "cannot read a ndarray as bars"),
        ([1, 2, 3], "missing columns"),
        ({"open": [1.0, 2.0], "close": [1.0, 2.0, 3.0]}, "the dict cannot be read as a table"),
    ],
)
def test_broken_data_is_refused_by_name(frame: Any, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        Bars.from_frame(frame)


def test_all_bad_rows_are_counted_and_five_named() -> None:
    column = table(20)["close"]
    column[3:12] = np.nan
    with pytest.raises(BarsError, match=r"rows 3 \(.*\), 4 .* 7 \(2024-01-01 07:00\) and 4 more; fill in") as caught:
        Bars.from_frame(table(20, close=column))
    assert ", 8 (" not in str(caught.value)


def test_an_open_outside_the_range_is_odd_not_broken() -> None:
    assert bars(open=np.full(10, 500.0)).open[0] == 500.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"timeframe": "hourly"},
            "timeframe 'hourly' is not understood; give a number and s, m, h, d, w, mo, q or y, like '1h'",
        ),
        ({"timeframe": "0h"}, "timeframe '0h' is not understood"),
        ({"timeframe": "1d"}, "timeframe '1d' does not fit: the bars are 1h apart"),
        ({"timeframe": "1m"}, "timeframe '1m' does not fit: the bars are 1h apart"),
        ({"periods_per_year": 0}, "periods_per_year=0 must be above 0; leave it out to take the market's own number"),
        ({"periods_per_year": float("nan")}, "periods_per_year=nan must be above 0"),
    ],
)
def test_impossible_settings(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BarsError, match=message):
        Bars.from_frame(table(), **options)


def test_one_bar_needs_its_timeframe() -> None:
    with pytest.raises(BarsError, match="cannot be inferred from fewer than two bars; pass timeframe='1h'"):
        Bars.from_frame(table(1))
    assert len(Bars.from_frame(table(1), timeframe="1h")) == 1


def test_a_hole_does_not_disturb_the_timeframe() -> None:
    holed = Bars.from_frame(pl.DataFrame(table(100)).filter(~pl.int_range(pl.len()).is_between(20, 60)))
    assert holed.timeframe == "1h"
    assert holed.periods_per_year == 8_760


def test_symbols_are_distinguished() -> None:
    both = pl.concat([pl.DataFrame(table(symbol=[name] * 10)) for name in ("BTCUSDT", "ETHUSDT")])
    with pytest.raises(
        BarsError, match=r"the frame holds 2 symbols in column symbol \(BTCUSDT, ETHUSDT\); choose one: symbol="
    ):
        Bars.from_frame(both)
    with pytest.raises(BarsError, match=r"has no symbol 'BTCUSD'; it has BTCUSDT, ETHUSDT. Did you mean 'BTCUSDT'\?"):
        Bars.from_frame(both, symbol="BTCUSD")
    one = Bars.from_frame(both, provider="BINANCE", symbol="ETHUSDT")
    assert (len(one), one.name) == (10, "BINANCE:ETHUSDT:1h")
    assert Bars.from_frame(both.head(10)).symbol == "BTCUSDT"


def test_columns_and_facts() -> None:
    made = bars(48)
    assert len(made) == 48
    assert made.name == "X:Y:1h"
    assert made.periods_per_year == 8_760
    assert (made.start, made.end) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, 23, tzinfo=UTC))
    assert made.timestamp.dtype == "datetime64[us]"
    assert made.time.base is not None or made.time.flags.owndata
    assert np.shares_memory(made.timestamp, made.time)
    for name in ("open", "high", "low", "close", "volume"):
        array = getattr(made, name)
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    assert made.funding_rate is made.open_interest is made.basis is None


def test_a_timeframe_has_one_spelling() -> None:
    day = Bars.from_frame(table(60, timestamp=START + 24 * HOUR * np.arange(60)), timeframe="24h")
    assert day.timeframe == "1d"
    assert day.fingerprint == Bars.from_frame(table(60, timestamp=START + 24 * HOUR * np.arange(60))).fingerprint


def test_the_source_may_change_afterwards() -> None:
    columns = table()
    made = Bars.from_frame(columns)
    columns["close"][:] = 1.0
    frame = pl.DataFrame(table())
    from_polars = Bars.from_frame(frame)
    frame[0, "close"] = 55.0
    assert made.close[0] == from_polars.close[0] == 100.0


def test_frame_and_back() -> None:
    made = bars(30, funding_rate=[None, 0.0, 0.001] * 10, open_interest=[1.0] * 30)
    frame = made.to_frame()
    assert frame.columns == ["timestamp", "open", "high", "low", "close", "volume", "funding_rate", "open_interest"]
    assert frame.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert frame["funding_rate"].null_count() == 10
    assert Bars.from_frame(frame).fingerprint == made.fingerprint


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    assert bars().fingerprint == "066f24fb0c6065b8fa65f8d72a34e945e2d03600a973c9a62a7b5b74fc63361b"


def test_names_do_not_count() -> None:
    other = Bars.from_frame(pl.DataFrame(table()), provider="P", symbol="Q", periods_per_year=252, notes=("n",))
    assert other.fingerprint == bars().fingerprint


@pytest.mark.parametrize("name", ["timestamp", "open", "high", "low", "close", "volume"])
def test_each_column_counts(name: str) -> None:
    column = table()[name].copy()
    column[-1] += 1_000_000 if name == "timestamp" else 1e-9
    assert bars(**{name: column}).fingerprint != bars().fingerprint


@pytest.mark.parametrize("name", ["funding_rate", "funding_count", "open_interest", "basis"])
def test_optional_columns_count_and_their_gaps(name: str) -> None:
    seen = {bars().fingerprint}
    for values in ([1.0] * 10, [1.0] * 9 + [None], [1.0] * 9 + [0.0]):
        seen.add(bars(**{name: values}).fingerprint)
    assert len(seen) == 4


def test_a_fingerprint_has_no_use_for_the_sign_of_zero_or_the_kind_of_nan() -> None:
    strange = np.array([0x7FF8000000000123], np.uint64).view(np.float64)[0]
    plain = bars(volume=np.zeros(10), basis=np.full(10, np.nan))
    assert bars(volume=np.full(10, -0.0), basis=np.full(10, strange)).fingerprint == plain.fingerprint


def test_the_timeframe_and_the_length_count() -> None:
    made = bars(10)
    assert made[:9].fingerprint != made.fingerprint
    assert Bars.from_frame(table(2), timeframe="30m").fingerprint != Bars.from_frame(table(2)).fingerprint


def test_a_window_shares_memory() -> None:
    made = bars(100, open_interest=np.arange(100.0))
    window = made[10:20]
    assert len(window) == 10
    assert np.shares_memory(window.close, made.close)
    assert np.shares_memory(window.time, made.time)
    assert np.shares_memory(window.open_interest, made.open_interest)
    assert (window.provider, window.symbol, window.periods_per_year) == ("X", "Y", 8_760)
    assert (
        window.fingerprint
        == Bars.from_frame(pl.DataFrame(table(100, open_interest=np.arange(100.0)))[10:20]).fingerprint
    )
    assert made[-5:].close[0] == made.close[95]


@pytest.mark.parametrize("window", [3, slice(0, 10, 2), slice(None, None, -1), "2024"])
def test_what_is_no_window(window: Any) -> None:
    with pytest.raises(BarsError, match=r"is not a window; cut with bars\[start:stop\], step 1"):
        bars()[window]


def test_an_empty_window() -> None:
    with pytest.raises(BarsError, match=r"bars\[5:5\] of 10 bars is empty"):
        bars()[5:5]


def test_between_takes_the_start_and_leaves_the_end() -> None:
    made = bars(72)
    assert made.between("2024-01-02", "2024-01-03").time[[0, -1]].tolist() == [START + 24 * HOUR, START + 47 * HOUR]
    assert len(made.between(date(2024, 1, 2))) == 48
    assert len(made.between(end=datetime(2024, 1, 1, 12))) == 12
    assert len(made.between("2024-01-01T12:00+02:00")) == 62
    assert len(made.between(made.timestamp[70])) == 2
    assert made.between().fingerprint == made.fingerprint
    with pytest.raises(BarsError, match="no bar from 2025-01-01 on; the bars run from 2024-01-01"):
        made.between("2025-01-01")
    with pytest.raises(BarsError, match="no bar from 2024-01-03 up to 2024-01-02"):
        made.between("2024-01-03", "2024-01-02")


def test_pickled_bars_are_the_same_and_still_read_only() -> None:
    made = bars(50, funding_rate=[None] * 50)[5:25]
    packed = pickle.dumps(made)
    again = pickle.loads(packed)
    assert again.fingerprint == made.fingerprint
    assert repr(again) == repr(made)
    assert again.funding_rate is not None
    assert again.basis is None
    assert not again.close.flags.writeable
    assert len(packed) < 50 * 8 * 7, "a window must travel without the rest of its bars"


def test_stamps_before_1970() -> None:
    early = Bars.from_frame(table(2, timestamp=[datetime(1962, 1, 2), datetime(1962, 1, 3)]))
    assert early.start == datetime(1962, 1, 2, tzinfo=UTC)
    assert early.end - early.start == timedelta(days=1)
