"""A spread sample of a long column, and values computed once for each different one."""

from __future__ import annotations

import polars as pl

from maestro.data.files.sampling import by_value, spread


def test_a_sample_is_spread_over_the_column_and_has_no_nulls() -> None:
    assert spread(pl.Series(range(10)), 5).to_list() == [0, 2, 4, 6, 8]
    assert spread(pl.Series([None, 1, None, 2]), 2).to_list() == [1, 2]  # the spread ones are all null
    assert spread(pl.Series([1, None]), 5).to_list() == [1]


def test_each_different_value_is_computed_once() -> None:
    asked: list[list[str]] = []

    def length(column: pl.Series) -> pl.Series | None:
        asked.append(column.to_list())
        return column.str.len_chars()

    assert by_value(pl.Series(["a", "bb", None, "a"]), length).to_list() == [1, 2, None, 1]  # type: ignore[union-attr]
    assert asked == [["a", "bb"]]
    assert by_value(pl.Series(["a"]), lambda column: None) is None
