"""Which columns of a table are timestamps, prices and volume: by exact name, then by content."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.files.columns import check_given, choose_columns, listing, price_groups, symbols_of_columns
from maestro.data.files.options import ReadOptions
from maestro.errors import BarsError

PRICES = {"open": [1.0, 2.0], "high": [3.0, 3.0], "low": [0.5, 1.0], "close": [2.0, 2.5]}
DATES = {"date": ["2024-01-01", "2024-01-02"]}


def table(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame({**DATES, **PRICES, **columns})


def test_exact_names_win_over_similar_ones() -> None:
    chosen = choose_columns(table(close_time=["a", "b"], volume=[5.0, 6.0], adj_close=[1.0, 1.0]), ReadOptions())
    assert chosen.columns == {"timestamp": "date", **{name: name for name in PRICES}, "volume": "volume"}
    assert chosen.notes == ["the prices are those of close; left out: adj_close"]
    assert chosen.used == {"date", *PRICES, "volume"}


def test_a_time_of_day_beside_the_date() -> None:
    assert choose_columns(table(time=["09:30", "10:30"], volume=[5.0, 6.0]), ReadOptions()).time == "time"
    daytime = {"date": ["2024-01-01 09:30", "2024-01-01 10:30"]}
    assert choose_columns(table(**daytime, time=["09:30", "10:30"]), ReadOptions()).time == ""


def test_named_columns_go_before_guessed_ones() -> None:
    options = ReadOptions(columns={"close": "settle", "volume": "0"})
    chosen = choose_columns(table(settle=[2.5, 2.0], volume=[5.0, 6.0]), options)
    assert chosen.columns["close"] == "settle"
    assert chosen.constants == {"volume": 0.0}
    assert "volume" not in chosen.columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"clsoe": "x"}, r"no column of bars is called 'clsoe'.*Did you mean 'close'"),
        (
            {"close": "setle"},
            r"there is no column 'setle' for the close; there are date, settle. Did you mean 'settle'",
        ),
        ({"close": "5"}, "there is no column '5' for the close"),
        ({"volume": "much"}, "there is no column 'much' for the volume"),
    ],
)
def test_names_that_do_not_exist_are_refused(columns: dict[str, str], message: str) -> None:
    with pytest.raises(BarsError, match=message):
        check_given(["date", "settle"], ReadOptions(columns=columns))


def test_missing_columns_are_named() -> None:
    with pytest.raises(BarsError, match="missing columns high, low; there are: date, open, close"):
        choose_columns(table().drop("high", "low"), ReadOptions())


def test_sets_of_prices_are_grouped_by_the_rest_of_their_names() -> None:
    sides = [f"{side}{field}" for side in ("Bid", "Ask") for field in ("Open", "High", "Low", "Close")]
    assert list(price_groups(sides)) == ["bid", "ask"]
    assert symbols_of_columns(sides) == []
    shares = [f"('{field}', '{name}')" for name in ("MSFT", "AAPL") for field in ("Open", "High", "Low", "Close")]
    assert symbols_of_columns(shares) == ["MSFT", "AAPL"]
    assert price_groups(["Price", "Open", "High", "Low"])[""]["close"] == "Price"
    both = pl.DataFrame({"date": DATES["date"], **{key: [1.0, 2.0] for key in sides}})
    with pytest.raises(BarsError, match="there are 2 sets of prices, bid and ask; choose the columns"):
        choose_columns(both, ReadOptions())


def test_a_long_list_of_names_is_cut() -> None:
    assert listing(["a", "b"]) == "a, b"
    assert listing([str(n) for n in range(14)], 2) == "0, 1 … and 12 more"
