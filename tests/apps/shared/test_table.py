"""A table has no Tabulator before its columns are known, and a new one only for other columns or formats."""

from __future__ import annotations

import polars as pl

from maestro.apps.shared.table import Table


def test_the_columns_of_a_table_never_change_while_it_is_built() -> None:
    table = Table(page_size=5)
    assert table.widget is None
    assert len(table.box) == 0

    table.fill(pl.DataFrame({"a": [1, 2]}), 1)
    first = table.widget
    assert list(table.box) == [first]
    assert (first.page_size, list(first.value.columns)) == (5, ["a"])

    table.fill(pl.DataFrame({"a": [3]}), 1)
    assert table.widget is first
    assert list(first.value["a"]) == [3]

    table.fill(pl.DataFrame({"a": [3]}), 2, titles={"a": "A"})
    assert table.widget is not first
    assert table.widget.titles == {"a": "A"}

    second = table.widget
    table.fill(pl.DataFrame({"b": [3]}), 2)
    assert table.widget is not second
    assert list(table.box) == [table.widget]
    assert list(second.value.columns) == ["a"]
