"""A run that is exported, and its tables as a workbook gives them back."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tests.reports.export.workbook import Sheet

TABLES = ("folds", "trials", "trades", "equity")


def moments(column: list[Any]) -> list[datetime]:
    return [datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=value) for value in column]


def same(sheet: Sheet, heading: str, expected: pl.Series) -> None:
    """A column of a sheet holds what the table holds; what is no number is an empty cell."""
    cells = sheet.column(heading)
    cells += [None] * (len(expected) - len(cells))
    for got, want in zip(cells, expected.to_list(), strict=True):
        if want is None or (isinstance(want, float) and not math.isfinite(want)):
            assert got is None, heading
        elif isinstance(want, datetime):
            assert abs(moments([got])[0] - want) < timedelta(milliseconds=1)
        elif isinstance(want, float):
            assert got == pytest.approx(want, rel=1e-15)
        else:
            assert got == want
