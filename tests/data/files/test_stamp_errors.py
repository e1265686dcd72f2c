"""Years that are not those of market data are refused with the first row."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from maestro.data.files.stamp_errors import check_years, last_year, row_name, shown_value
from maestro.errors import BarsError


def stamps(*years: int) -> pl.Series:
    return pl.Series([datetime(year, 6, 1, tzinfo=UTC) for year in years], dtype=pl.Datetime("us", "UTC"))


def test_years_from_1900_to_the_next_one_pass() -> None:
    assert last_year() == datetime.now(UTC).year + 1
    check_years(stamps(1900, last_year()))
    check_years(pl.Series([1.0]))  # not a stamp


@pytest.mark.parametrize("year", [1899, 1, 9999])
def test_other_years_are_refused(year: int) -> None:
    with pytest.raises(BarsError, match=rf"at row 1 would be in the year {year}; stamps from 1900 to"):
        check_years(stamps(2024, year))


def test_the_message_shows_what_the_file_has() -> None:
    with pytest.raises(BarsError, match="the timestamp '1/6/1850' at line 7"):
        check_years(stamps(1850), "line 7".format, pl.Series(["1/6/1850"]))
    far = pl.Series([10**17]).cast(pl.Datetime("us", "UTC"))  # beyond the years of Python's datetime
    with pytest.raises(BarsError, match="would be in the year 5138"):
        check_years(far, row_name)
    assert shown_value("a") == "'a'"
    assert shown_value(5) == "5"
