"""What differs between two tables, or between a recorded fold and its repetition, is named by row, column and value."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.reproduce.differences import differences, unequal
from maestro.reproduce.plan import windows_of
from maestro.walkforward.fold import run_fold
from maestro.walkforward.tables import FoldTables, fold_tables

BARS = ms.synthetic_bars(900, seed=3)
OLD = pl.DataFrame({"a": [0.1, float("nan"), None, 0.0], "b": ["x", None, "z", "w"]})


def test_equal_tables_have_no_difference() -> None:
    assert unequal("t", OLD, OLD.clone()) == []


def test_floats_are_compared_bit_by_bit() -> None:
    after = 0.10000000000000002  # the next float
    new = OLD.with_columns(pl.Series("a", [after, float("nan"), None, 0.0]))
    assert unequal("t", OLD, new) == [f"t: a in row 0 was 0.1, now {after!r}"]


@pytest.mark.parametrize(
    ("row", "value", "message"),
    [
        (3, -0.0, "a in row 3 was 0.0, now -0.0"),  # minus zero has other bits
        (2, float("nan"), "a in row 2 was None, now nan"),  # null is not NaN
        (1, None, "a in row 1 was nan, now None"),
    ],
)
def test_zero_null_and_nan_are_distinguished(row: int, value: float | None, message: str) -> None:
    values = [0.1, float("nan"), None, 0.0]
    values[row] = value
    assert unequal("t", OLD, OLD.with_columns(pl.Series("a", values, pl.Float64))) == [f"t: {message}"]


def test_further_rows_and_columns_are_counted() -> None:
    assert unequal("t", OLD, OLD.with_columns(b=pl.lit("x"))) == ["t: b in row 1 was None, now 'x', and 2 more rows"]
    wide = pl.DataFrame({name: [1, 2] for name in "abcde"})
    found = unequal("t", wide, wide + 1)
    assert found[0] == "t: a in row 0 was 1, now 2, and 1 more row"
    assert found[3:] == ["t: 2 more columns"]


def test_other_shapes_are_named() -> None:
    assert unequal("t", OLD, OLD.head(2)) == ["t: 4 rows recorded, now 2"]
    assert unequal("t", OLD, OLD.rename({"a": "c"})) == ["t: columns a, b recorded, now c, b"]


@pytest.fixture(scope="module")
def wf() -> ms.WalkForward:
    return ms.walk_forward(BARS, "EmaCrossStrategy", splitter="rolling:4,2,1", trials=5, workers=1)


def repeated(wf: ms.WalkForward, fold: int) -> FoldTables:
    assert wf.plan is not None
    return fold_tables(run_fold(wf.plan, BARS, windows_of(wf)[fold], fold), BARS, wf.plan.space, wf.plan.cash)


def tables(wf: ms.WalkForward) -> dict[str, pl.DataFrame]:
    return {"folds": wf.folds, "trials": wf.trials, "equity": wf.equity, "trades": wf.trades}


@pytest.mark.parametrize("fold", [0, 2])
def test_a_repeated_fold_does_not_differ(wf: ms.WalkForward, fold: int) -> None:
    assert differences(fold, tables(wf), repeated(wf, fold)) == []


@pytest.mark.parametrize(
    ("table", "column", "what"),
    [
        ("folds", "oos_vwr", "chosen parameters and metrics"),
        ("trials", "sharpe_ratio", "trials"),
        ("equity", "position", "equity"),
        ("trades", "pnl", "trades"),
    ],
)
def test_a_changed_value_is_named(wf: ms.WalkForward, table: str, column: str, what: str) -> None:
    recorded: dict[str, Any] = tables(wf)
    recorded[table] = recorded[table].with_columns(pl.col(column) + 1e-9)
    found = differences(0, recorded, repeated(wf, 0))
    assert len(found) == 1
    assert found[0].startswith(f"fold 0, {what}: {column} in row 0 was ")


def test_a_missing_trade_is_named(wf: ms.WalkForward) -> None:
    recorded = {**tables(wf), "trades": wf.trades.slice(1)}
    own = len(wf.trades.filter(fold=0))
    assert differences(0, recorded, repeated(wf, 0)) == [f"fold 0, trades: {own - 1} rows recorded, now {own}"]
