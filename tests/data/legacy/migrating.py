"""A migration of the test database into a store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

import maestro as ms
from maestro.data.legacy import MigrationReport, migrate, open_legacy
from maestro.data.stores import MemoryStore, SeriesKey, Store
from maestro.errors import StoreError, StoreUnavailableError
from tests.support.rethink.documents import FIELDS, Document, as_json, documents

KEY = SeriesKey("X", "Y_Z", "1h")


TABLE = "trade_X_Y_Z_1h"


def bars(n: int = 1_000, seed: int = 1) -> pl.DataFrame:
    return ms.synthetic_bars(n, seed=seed).to_frame()


def export(folder: Path, rows: pl.DataFrame | list[Document], table: str = TABLE) -> Path:
    path = folder / f"{table}.json"
    path.write_text(as_json(documents(rows) if isinstance(rows, pl.DataFrame) else rows))
    return path


def move(place: Path | str, store: Store, folder: Path, **options: Any) -> MigrationReport:
    with closing(open_legacy(place)) as source:
        return migrate(source, store, folder=folder, **options)


def bits(frame: pl.DataFrame) -> list[list[int]]:
    """Stamps and values as whole numbers: equal only if every bit is."""
    frame = frame.select("timestamp", *FIELDS)
    return [
        frame["timestamp"].dt.epoch("us").to_list(),
        *(frame[name].to_numpy().view("i8").tolist() for name in FIELDS),
    ]


def prepared(store: Store) -> pl.DataFrame:
    """A store that has other rows of the series, equal ones, and different ones with funding; and another series."""
    rows = bars()
    there = pl.concat(
        [
            bars(1_200)[1_000:].with_columns(funding_rate=pl.lit(0.5)),
            rows[100:200].with_columns(funding_rate=pl.lit(None, pl.Float64)),
            rows[200:300].with_columns(pl.col("close") * 2, funding_rate=pl.lit(0.25)),
        ]
    )
    store.append(KEY, there)
    store.append(SeriesKey("OTHER", "Y", "1h"), rows[:10])
    return rows


def state(store: Store) -> dict[str, str]:
    return {str(info.key): store.fingerprint(info.key) for info in store.series()}


class Failing(MemoryStore):
    """Fails at the append of that number; `changes` its rows behind its back at another."""

    def __init__(self, fail_at: int = -1, error: type[StoreError] = StoreUnavailableError, spoil_at: int = -1) -> None:
        super().__init__()
        self.appends, self.fail_at, self.error, self.spoil_at = 0, fail_at, error, spoil_at

    @property
    def name(self) -> str:
        return "memory:failing"

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> Any:
        self.appends += 1
        if self.appends == self.fail_at:
            super().append(key, frame[: len(frame) // 2])  # as a server that goes down between two batches
            raise self.error("no answer.")
        if self.appends == self.spoil_at:
            frame = frame.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(1e9).otherwise("low").alias("low"))
        return super().append(key, frame)
