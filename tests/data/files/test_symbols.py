"""Several symbols in one table: the column that tells them apart, and the choice of one."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.files.symbols import (
    as_names,
    choose_symbol,
    column_holding,
    is_one_series,
    separating_column,
    several,
    symbol_column,
    symbols_in,
)
from maestro.errors import BarsError

TWO = pl.DataFrame({"date": [1, 1, 2, 2, 3, 3], "Ticker": ["A", "B"] * 3, "close": [1.0, 9.0, 2.0, 8.0, 3.0, 7.0]})


def test_the_column_is_found_by_its_name() -> None:
    assert symbol_column(TWO) == "Ticker"
    assert symbol_column(TWO.drop("Ticker")) is None
    both = TWO.with_columns(symbol=pl.lit("X"))
    assert symbol_column(both) == "Ticker"  # it has more than one value


def test_the_column_is_found_by_its_content() -> None:
    other = TWO.rename({"Ticker": "which"})
    assert column_holding(other, "B", ()) == "which"
    assert column_holding(other, "B", ("which",)) is None
    assert column_holding(other, "C", ()) is None
    assert separating_column(other, other["date"], ("close",)) == "which"
    assert separating_column(other, pl.Series(range(6)), ("close",)) is None  # no stamp is there twice


def test_one_symbol_is_chosen_in_any_case() -> None:
    part, name = choose_symbol(TWO, "Ticker", "b", "prices.csv")
    assert (part["close"].to_list(), name) == ([9.0, 8.0, 7.0], "B")
    single = TWO.filter(pl.col("Ticker") == "A")
    assert choose_symbol(single, "Ticker", "", "prices.csv") == (single, "A")


def test_without_a_choice_the_symbols_are_listed() -> None:
    with pytest.raises(
        BarsError, match=r"prices.csv holds 2 symbols in column Ticker \(A, B\); choose one: symbol='A'"
    ):
        choose_symbol(TWO, "Ticker", "", "prices.csv")
    with pytest.raises(BarsError, match=r"prices.csv has no symbol 'C'; it has A, B"):
        choose_symbol(TWO, "Ticker", "C", "prices.csv")
    assert several("it", "which", ["A", "B"]).startswith("it holds 2 series in column which")


def test_numbers_are_names_without_a_point() -> None:
    assert as_names(pl.Series([1.0, None])).to_list() == ["1", None]
    assert symbols_in(pl.Series([2.0, 1.0, 2.0, None])) == ["1", "2"]


def test_contracts_that_follow_each_other_are_one_series() -> None:
    rolled = pl.DataFrame({"contract": ["H24", "H24", "M24"], "at": [1, 2, 3]})
    assert is_one_series(rolled, "contract", rolled["at"])
    assert not is_one_series(rolled, "contract", pl.Series([1, 1, 3]))
    mixed = pl.DataFrame({"contract": ["H24", "M24", "H24"]})
    assert not is_one_series(mixed, "contract", pl.Series([1, 2, 3]))
    assert not is_one_series(rolled.rename({"contract": "symbol"}), "symbol", rolled["at"])
