"""Verification finds what a backup took over damaged, and repeats a run of it."""

from __future__ import annotations

import polars as pl
import pytest

import maestro as ms
from maestro.errors import BackupError
from maestro.operations.backup import verify
from maestro.runs import list_runs
from tests.operations.backup.conftest import System
from tests.support.backtests import stored


def test_a_run_that_was_damaged_before_the_backup_is_found(system: System) -> None:
    [run] = list_runs("service/runs")["id"]
    path = system.folder / "service" / "runs" / run / "equity.parquet"
    pl.read_parquet(path).head(3).write_parquet(path)
    system.back_up()
    outcome = verify(system.vault())
    assert not outcome.passed
    assert any(f"run {run}" in text and "equity.parquet is damaged" in text for text in outcome.problems)


def test_a_backtest_is_part_of_a_backup_and_its_damage_is_found(system: System) -> None:
    store = stored(ms.backtest(ms.load("sample:AAPL"), "EmaCrossStrategy"), system.folder / "service" / "runs")
    path = store.folder / "equity.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    system.back_up()
    problems = verify(system.vault()).problems
    assert any(f"backtest {store.id}" in text and "equity.parquet is damaged" in text for text in problems)


def test_a_store_that_was_damaged_before_the_backup_is_found(system: System) -> None:
    path = next((system.folder / "store").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    system.back_up()
    assert any(path.name in text for text in verify(system.vault()).problems)


def test_a_run_that_is_not_there_is_an_error(system: System) -> None:
    system.back_up()
    with pytest.raises(BackupError, match="no finished run 'abc'"):
        verify(system.vault(), run="abc")
