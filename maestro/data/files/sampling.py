"""Representative parts of a long column: a spread sample, and its distinct values."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

MANY = 10_000
"""Rows from which on it pays to read different values once."""


def spread(column: pl.Series, most: int = 1_000) -> pl.Series:
    """At most about `most` values without nulls, spread over the column."""
    found = column.gather_every(max(1, len(column) // most)).drop_nulls()
    return found if len(found) else column.drop_nulls().head(most)


def by_value(column: pl.Series, read: Callable[[pl.Series], pl.Series | None]) -> pl.Series | None:
    """The result of `read` for a column, computed once for each different value; None if `read` returns None."""
    different = column.unique(maintain_order=True).drop_nulls()
    values = read(different)
    if values is None:
        return None
    return column.replace_strict(different, values, default=None, return_dtype=values.dtype)
