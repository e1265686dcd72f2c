"""Frames of any usual make and spelling give the same bars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from maestro.bars import Bars
from maestro.data.files.reading import canonical_frame
from maestro.data.files.stamps import read_stamps
from maestro.errors import BarsError

N = 6
HOUR = 3_600_000_000
STAMPS = 1_704_067_200_000_000 + HOUR * np.arange(N)  # from 2024-01-01
CLOSE = 100.0 + np.arange(N)
PRICES = {"open": CLOSE, "high": CLOSE + 1, "low": CLOSE - 1, "close": CLOSE, "volume": np.full(N, 3.0)}
MOMENTS = [datetime(2024, 1, 1, i, tzinfo=UTC) for i in range(N)]
EXPECTED = Bars.from_frame({"timestamp": STAMPS, **PRICES}).fingerprint


def fingerprint(frame: Any) -> str:
    return Bars.from_frame(frame).fingerprint


# -- stamps ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stamps",
    [
        STAMPS // 1_000_000,
        STAMPS // 1_000,
        STAMPS,
        STAMPS * 1_000,
        (STAMPS // 1_000_000).astype(float),
        (STAMPS // 1_000).astype(float),
        (STAMPS // 1_000_000).astype(np.uint32),
        [str(s) for s in STAMPS // 1_000],
        [f" {s}.0" for s in STAMPS // 1_000_000],
        MOMENTS,
        [m.replace(tzinfo=None) for m in MOMENTS],
        [m.astimezone(timezone(timedelta(hours=-5))) for m in MOMENTS],
        [f"{m:%Y-%m-%d %H:%M:%S}" for m in MOMENTS],
        [f"{m:%Y-%m-%dT%H:%M:%SZ}" for m in MOMENTS],
        [f"{m:%Y-%m-%dT%H:%M:%S.000Z}" for m in MOMENTS],
        [f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        [f"{m:%Y/%m/%d %H:%M:%S}" for m in MOMENTS],
        [f"{m:%Y.%m.%d %H:%M}" for m in MOMENTS],
        [f"{m:%Y-%m-%d %H:%M:%S} UTC" for m in MOMENTS],
        [f"{m:%Y-%m-%d %H:%M:%S}+00" for m in MOMENTS],
        [m.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat() for m in MOMENTS],
        [m.astimezone(timezone(-timedelta(hours=3, minutes=30))).strftime("%Y-%m-%dT%H:%M:%S%z") for m in MOMENTS],
        pd.Series(pd.DatetimeIndex(MOMENTS)),
        pd.Series(pd.DatetimeIndex(MOMENTS).tz_localize(None)),
        pd.Series(pd.DatetimeIndex(MOMENTS).tz_convert("America/New_York")),
        pd.Series(MOMENTS, dtype=object),
        pd.Series(pd.DatetimeIndex(MOMENTS).as_unit("ms")),
        pd.Series(pa.array(MOMENTS), dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
        pd.Series(STAMPS // 1000, dtype="Int64"),
    ],
    ids=lambda s: f"{type(s).__name__}-{str(s[0])[:30]}",
)
def test_stamps_of_any_kind(stamps: Any) -> None:
    frame = (
        pd.DataFrame({"timestamp": stamps, **PRICES})
        if isinstance(stamps, pd.Series)
        else {"timestamp": stamps, **PRICES}
    )
    assert fingerprint(frame) == EXPECTED
    if isinstance(stamps, (list, np.ndarray)):
        assert fingerprint(pd.DataFrame({"timestamp": stamps, **PRICES})) == EXPECTED


@pytest.mark.parametrize(
    "days",
    [
        [date(2024, 1, d + 1) for d in range(N)],
        [f"2024-01-{d + 1:02}" for d in range(N)],
        [f"2024.1.{d + 1}" for d in range(N)],
        [20240101 + d for d in range(N)],
        [f"202401{d + 1:02}" for d in range(N)],
    ],
)
def test_dates(days: list[Any]) -> None:
    made = Bars.from_frame({"Date": days, **PRICES})
    assert (made.timeframe, made.start, made.end) == (
        "1d",
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, N, tzinfo=UTC),
    )


def test_microseconds_survive() -> None:
    stamps = [f"2024-01-01 00:00:00.12345{i}" for i in range(N)]
    assert read_stamps(pl.Series(stamps)).to_physical().to_list() == [int(STAMPS[0]) + 123_450 + i for i in range(N)]


def test_a_zone_with_summer_time_is_understood() -> None:
    local = pd.date_range("2024-03-31", periods=6, freq="h", tz="Europe/Zurich")
    made = Bars.from_frame(pd.DataFrame({"timestamp": local, **PRICES}))
    assert made.start == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert set(np.diff(made.time)) == {HOUR}


@pytest.mark.parametrize(
    "stamps",
    [
        ["2024-01-01T00:00:00+01:00", "2024-01-01T01:00:00", "2024-01-01T02:00:00"],
        ["2024-01-01T00:00:00 UTC", "2024-01-01T01:00:00", "2024-01-01T02:00:00"],
    ],
)
def test_mixed_zones_are_refused(stamps: list[str]) -> None:
    rows = {"timestamp": stamps, **{name: values[:3] for name, values in PRICES.items()}}
    message = r"the timestamps mix zones: row 0 is '2024-01-01T00:00:00.*', row 1 is .*; give the zone in all of them"
    for frame in (rows, pl.DataFrame(rows), pd.DataFrame(rows)):
        with pytest.raises(BarsError, match=message):
            Bars.from_frame(frame)


def test_different_offsets_are_each_understood() -> None:
    mixed = [MOMENTS[0], *(m.astimezone(timezone(timedelta(hours=2))) for m in MOMENTS[1:])]
    assert fingerprint(pd.DataFrame({"timestamp": pd.Series(mixed, dtype=object), **PRICES})) == EXPECTED
    assert fingerprint({"timestamp": [m.isoformat() for m in mixed], **PRICES}) == EXPECTED


@pytest.mark.parametrize("factors", [(1_000_000, 1_000), (1_000, 1), (1_000_000, 1), (1_000, 1_000_000)])
def test_a_unit_that_changes_on_the_way_is_recognised_by_its_digits(factors: tuple[int, int]) -> None:
    stamps = [int(s) // factors[i >= N // 2] for i, s in enumerate(STAMPS)]
    made = Bars.from_frame({"timestamp": stamps, **PRICES})
    assert made.fingerprint == EXPECTED
    assert "the stamps change their unit" in made.notes[0]


def test_numbers_that_are_too_small_for_a_unit_are_refused() -> None:
    with pytest.raises(BarsError, match=r"the timestamps mix units: from .* give all in s, ms, µs or ns"):
        Bars.from_frame({"timestamp": [*range(3), *(int(s) for s in STAMPS[3:])], **PRICES})


def test_old_series_are_not_taken_for_mixed_units() -> None:
    days = np.arange(-1_000, 4_000) * 86_400  # 1967 to 1980
    for factor in (1, 1_000):
        stamps = read_stamps(pl.Series(days * factor))
        assert stamps.to_physical().to_list() == (days * 1_000_000).tolist()


# -- makes of frames ------------------------------------------------------------------------


def test_polars_pandas_arrow_and_plain_python() -> None:
    columns: dict[str, Any] = {"timestamp": STAMPS, **PRICES}
    plain = {name: values.tolist() for name, values in columns.items()}
    records = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
    polars = pl.DataFrame(columns)
    for frame in (
        polars, polars.lazy(), pd.DataFrame(columns), polars.to_arrow(), polars.to_arrow().to_batches()[0],
        columns, plain, records, polars.rechunk(), pl.concat([polars[:2], polars[2:]], rechunk=False),
    ):  # fmt: skip
        assert fingerprint(frame) == EXPECTED


@pytest.mark.parametrize("name", [None, "date", "Open time", "index", "whatever is it"])
def test_pandas_with_stamps_as_index(name: str | None) -> None:
    index = pd.DatetimeIndex(MOMENTS, name=name)
    assert fingerprint(pd.DataFrame(PRICES, index=index)) == EXPECTED


def test_pandas_with_several_index_levels() -> None:
    index = pd.MultiIndex.from_arrays([["BTC"] * N, MOMENTS], names=["symbol", "time"])
    made = Bars.from_frame(pd.DataFrame(PRICES, index=index))
    assert (made.fingerprint, made.symbol) == (EXPECTED, "BTC")


def test_pandas_whose_index_repeats_a_column() -> None:
    frame = pd.DataFrame({"timestamp": MOMENTS, **PRICES})
    frame.index = pd.DatetimeIndex(MOMENTS, name="timestamp")
    assert fingerprint(frame) == EXPECTED
    filtered = pd.DataFrame({"timestamp": [*MOMENTS, MOMENTS[-1]], **{k: [*v, v[-1]] for k, v in PRICES.items()}})
    assert fingerprint(filtered[filtered.index < N]) == EXPECTED


@pytest.mark.parametrize("kind", ["float32", "Float64", "int64", "Int64", "double[pyarrow]", "object", "str"])
def test_numbers_of_any_kind(kind: str) -> None:
    frame = pd.DataFrame({"timestamp": MOMENTS, **PRICES}).astype(dict.fromkeys(PRICES, kind))
    assert fingerprint(frame) == EXPECTED


def test_decimals_texts_and_categories() -> None:
    decimal = {name: [Decimal(str(v)) for v in values] for name, values in PRICES.items()}
    text = {name: [f" {v}" for v in values] for name, values in PRICES.items()}
    assert fingerprint({"timestamp": STAMPS, **decimal}) == EXPECTED
    assert fingerprint(pd.DataFrame({"timestamp": STAMPS, **decimal})) == EXPECTED
    assert fingerprint({"timestamp": STAMPS, **text}) == EXPECTED
    symbols = pd.DataFrame({"timestamp": STAMPS, "symbol": pd.Categorical(["BTC"] * N), **PRICES})
    assert Bars.from_frame(symbols).symbol == "BTC"


@pytest.mark.parametrize("kind", ["Float64", "double[pyarrow]", "object", "float64"])
def test_missing_numbers_of_any_kind_are_found(kind: str) -> None:
    frame = pd.DataFrame({"timestamp": MOMENTS, **PRICES}).astype({"close": kind})
    frame.loc[2, "close"] = None if kind == "object" else pd.NA if kind != "float64" else np.nan
    with pytest.raises(BarsError, match=r"close is missing, NaN or infinite at row 2"):
        Bars.from_frame(frame)


def test_a_column_that_stands_there_twice_is_refused() -> None:
    frame = pd.DataFrame({"timestamp": MOMENTS, **PRICES})
    with pytest.raises(BarsError, match="the frame has column 'close' more than once"):
        Bars.from_frame(pd.concat([frame, frame[["close"]]], axis=1))


# -- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["timestamp", "open", "high", "low", "close", "volume"],
        ["Date", "Open", "High", "Low", "Close", "Volume"],
        ["Open time", "Open", "High", "Low", "Close", "Volume"],
        ["open_time", "o", "h", "l", "c", "v"],
        ["t", "o", "h", "l", "c", "v"],
        ["unix", "OPEN", "HIGH", "LOW", "CLOSE", "Volume BTC"],
        ["datetime", "price_open", "price_high", "price_low", "price_close", "base_volume"],
        ["\ufeffdate", "open", "high", "low", "close", "vol"],
    ],
)
def test_usual_names(names: list[str]) -> None:
    frame = pl.DataFrame({**dict(zip(names, (STAMPS, *PRICES.values()), strict=True)), "Adj Close": CLOSE, "trades": 1})
    assert fingerprint(frame) == EXPECTED


def test_the_exact_name_wins() -> None:
    others = {"Close": CLOSE * 2, "time": STAMPS + HOUR, "Volume USD": CLOSE}
    assert fingerprint({**others, "timestamp": STAMPS, **PRICES}) == EXPECTED


def test_of_two_volumes_the_one_in_the_base_currency_is_taken() -> None:
    prices = {name: values for name, values in PRICES.items() if name != "volume"}
    volumes = {"Volume USD": 3.0 * CLOSE, "Volume BTC": PRICES["volume"]}
    made = Bars.from_frame({"date": STAMPS, **prices, **volumes})
    assert made.fingerprint == EXPECTED
    assert made.notes[0] == "the volume is Volume BTC, in the base currency; left out: Volume USD"
    volumes["Volume USD"] = np.array([1.0, 5.0, 2.0, 7.0, 1.0, 2.0])
    with pytest.raises(
        BarsError, match=r"which column is the volume: Volume USD, Volume BTC.*--column 'volume=Volume USD'"
    ):
        Bars.from_frame({"date": STAMPS, **prices, **volumes})


def test_optional_series_come_along_under_their_usual_names() -> None:
    frame = canonical_frame(
        {"timestamp": STAMPS, **PRICES, "fundingRate": [0.1] * N, "OI": [5] * N, "basis": [None] * N}
    )
    assert frame.columns[6:] == ["funding_rate", "open_interest", "basis"]
    assert frame["basis"].dtype == pl.Float64


# -- real files -----------------------------------------------------------------------------


def test_real_files_read(real_file: Any) -> None:
    rows = pl.read_parquet(real_file("binance_usdm_12sym_4h.parquet"))
    made = Bars.from_frame(rows, symbol="BTCUSDT")
    assert (made.timeframe, len(made), made.symbol) == ("4h", 4_500, "BTCUSDT")
    assert made.fingerprint == Bars.from_frame(rows.to_pandas(), symbol="BTCUSDT").fingerprint
    stoxx = pl.read_csv(real_file("backtrader_2006-day-001.txt"), infer_schema=False)
    assert len(Bars.from_frame(stoxx)) == 255
