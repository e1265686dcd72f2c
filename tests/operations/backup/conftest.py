"""A small system with jobs, a finished run, a ledger, bars and settings, of which backups are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maestro.config import load_settings
from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.operations.backup import StoredBackup, Vault, create, open_vault, places_of
from maestro.service.jobs import Database, Queue
from maestro.service.specification import Specification
from maestro.service.worker import Worker
from tests.service.conftest import SMALL

KEY = SeriesKey("KRAKEN", "BTCUSD", "1h")
HOUR = 3_600_000_000


def bars(n: int, first: int = 0) -> pl.DataFrame:
    """Rows of hourly bars from the first hour on."""
    close = 100 + np.sin(np.arange(first, first + n) / 9)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(np.arange(first, first + n) * HOUR).cast(pl.Datetime("us", "UTC")),
            "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": close,
        }
    )  # fmt: skip


class System:
    """The system in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(folder / "service")
        self.store = ParquetStore(folder / "store")

    def submit(self, owner: str, **changed: object) -> str:
        """Put a small walk-forward into the queue; returns its run."""
        specification = Specification.of({**SMALL, **changed})
        series, planned = specification.plan()
        job, _ = Queue(self.database).submit(
            owner, specification.to_dict(), run=planned.id, strategy=specification.strategy, provider=series.provider,
            symbol=series.symbol, folds=planned.folds, trials=planned.trials,
        )  # fmt: skip
        return job.run

    def vault(self, folder: Path | None = None) -> Vault:
        return open_vault(load_settings(), folder)

    def back_up(self, vault: Vault | None = None, keep: int | None = None) -> StoredBackup:
        settings = load_settings()
        return create(places_of(settings), settings, vault or self.vault(), keep=keep)[0]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """One finished run, one waiting job, 500 bars."""
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "maestro.yaml").write_text(
        "store: store\nledger_dir: ledger\nservice:\n  folder: service\nbackup:\n  folder: backups\n"
        "search:\n  trials: 123\n"
    )
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MAESTRO_LEDGER_DIR", raising=False)
    made = System(folder)
    made.store.append(KEY, bars(500))
    made.submit("anna")
    Worker(made.database, folder / "service" / "runs").run(until_empty=True)
    made.submit("ben", trials=9)
    yield made
    made.database.close()
