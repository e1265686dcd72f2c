"""Funding, open interest or basis in a table: the timestamps and one column of values."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.files.options import ReadOptions
from maestro.data.files.other_series import interpret_values
from maestro.errors import BarsError

TABLE = pl.DataFrame(
    {
        "time": ["2024-01-01T00:00Z", "2024-01-01T08:00Z"],
        "fundingRate": ["0.0001", ""],
        "markPrice": [42_000.0, 43_000.0],
    }
)
FUNDING = ReadOptions(series="funding")


def test_the_value_is_found_by_its_name_and_rows_without_one_are_left_out() -> None:
    known = interpret_values(TABLE, FUNDING, "rates.csv", 2)
    assert known.frame.columns == ["timestamp", "funding_rate"]
    assert known.frame["funding_rate"].to_list() == [0.0001]
    assert known.how["columns"] == "timestamp ← time, funding_rate ← fundingRate; left out: markPrice"


def test_the_only_column_of_numbers_is_the_value() -> None:
    known = interpret_values(TABLE.select("time", x=pl.lit(0.5)), FUNDING, "rates.csv", 2)
    assert known.frame["funding_rate"].to_list() == [0.5, 0.5]


def test_what_cannot_be_decided_is_asked() -> None:
    with pytest.raises(BarsError, match=r"which column is funding_rate. There are a, b; name it: columns="):
        interpret_values(TABLE.select("time", a=pl.lit(0.5), b=pl.lit(0.6)), FUNDING, "rates.csv", 2)
    with pytest.raises(BarsError, match="which column holds the stamps"):
        interpret_values(TABLE.select("markPrice", "fundingRate"), FUNDING, "rates.csv", 2)
    options = ReadOptions(series="funding", columns={"open": "x"})
    with pytest.raises(BarsError, match="no column of funding is called 'open'; there are timestamp and funding_rate"):
        interpret_values(TABLE, options, "rates.csv", 2)
    options = ReadOptions(series="funding", columns={"funding_rate": "rate"})
    with pytest.raises(BarsError, match="there is no column 'rate'"):
        interpret_values(TABLE, options, "rates.csv", 2)
