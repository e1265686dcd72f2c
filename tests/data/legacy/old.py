"""Documents of the 2020 system, and a server that speaks its protocol."""

from __future__ import annotations

import time
from typing import Any

import polars as pl

import maestro as ms
from maestro.data.legacy import Choices
from maestro.data.legacy.documents import FIELDS, DocumentReader, Reading

HOUR = 3_600_000_000


NOW = time.time_ns() // 1000


def bars(n: int = 48, seed: int = 1) -> pl.DataFrame:
    return ms.synthetic_bars(n, seed=seed).to_frame()


def read(found: list[Any], choices: Choices | None = None, *, batch: int = 7) -> tuple[Reading, list[tuple[str, Any]]]:
    """Read documents in small batches; also what was rejected."""
    rejected: list[tuple[str, Any]] = []
    reader = DocumentReader(
        HOUR, choices or Choices(), NOW, lambda reason, document: rejected.append((reason, document))
    )
    for at in range(0, len(found), batch):
        reader.take(found[at : at + batch])
    reading = reader.finish()
    assert reading.documents == len(found)
    assert reading.documents == len(reading.rows) + reading.identical + sum(reading.rejected.values())
    assert len(rejected) == sum(reading.rejected.values())
    return reading, rejected


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Equal to the last bit."""
    assert one["timestamp"].dt.epoch("us").to_list() == other["timestamp"].dt.epoch("us").to_list()
    return all((one[name].to_numpy().view("i8") == other[name].to_numpy().view("i8")).all() for name in FIELDS)
