"""Rows are copied before they are removed; without a copy nothing is removed."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from maestro._core.processes import host_id
from maestro.data.files.trash import restoring_command, to_trash
from maestro.data.stores import SeriesKey
from maestro.errors import StoreError
from tests.support.exchange.truth import hourly
from tests.support.processes import ended_process

KEY = SeriesKey("KRAKEN", "BTC/USD:USD", "1h")


def test_each_removal_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    rows = hourly().head(20)
    first, second = to_trash(KEY, rows[:5]), to_trash(KEY, rows[5:])
    assert first.parent == second.parent == tmp_path / "state/trash"
    assert pl.concat([pl.read_parquet(first), pl.read_parquet(second)]).equals(rows)
    assert f"import {first} --provider KRAKEN --symbol BTC/USD:USD --timeframe 1h" in restoring_command(KEY, first)


def test_what_a_killed_removal_left_behind_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path))
    first = to_trash(KEY, hourly().head(5))
    (first.parent / f".older.parquet.{host_id()}-{ended_process()}-0123abcd.part").write_bytes(b"half")
    living = first.parent / f".other.parquet.{host_id()}-{os.getpid()}-0123abcd.part"
    living.write_bytes(b"half")
    second = to_trash(KEY, hourly().head(5))
    assert sorted(first.parent.iterdir()) == sorted([living, first, second])


def test_a_trash_that_cannot_be_made_refuses_the_removal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("MAESTRO_STATE_DIR", str(tmp_path / "state"))
    with pytest.raises(StoreError, match="nothing was removed"):
        to_trash(KEY, hourly().head(5))
