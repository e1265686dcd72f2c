"""Backups killed at random moments: none is taken for whole that is not. ``python -m benchmarks.backup_kills 50``."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from maestro.data.stores import SeriesKey
from maestro.data.stores.parquet import ParquetStore
from maestro.operations.backup import restore
from maestro.operations.backup.archives import Archives
from maestro.service.jobs import Database

_KEY = SeriesKey("KRAKEN", "BTCUSD", "1m")
_MINUTE = 60_000_000


def _rows(n: int) -> pl.DataFrame:
    close = 100 + np.random.default_rng(0).normal(size=n).cumsum() * 0.01
    stamps = pl.Series(np.arange(n) * _MINUTE).cast(pl.Datetime("us", "UTC"))
    prices = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": np.ones(n)}
    return pl.DataFrame({"timestamp": stamps, **prices})


def main(tries: int) -> int:
    """Return the number of tries that went wrong."""
    rng, wrong = random.Random(0), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "maestro.yaml").write_text(
            "store: store\nledger_dir: ledger\nservice: {folder: service}\nbackup: {folder: backups}\n"
        )
        store = ParquetStore(folder / "store")
        store.append(_KEY, _rows(600_000))
        Database(folder / "service").close()
        fingerprint = store.fingerprint(_KEY)
        environment = {name: text for name, text in os.environ.items() if not name.startswith("MAESTRO_")}
        command = [sys.executable, "-m", "maestro", "backup", "create", "--keep", "2"]
        seconds = []
        for _ in range(4):  # the first one also compiles and fills caches
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
            seconds.append(time.perf_counter() - began)
        vault = Archives(folder / "backups")
        finished = 0
        for _ in range(tries):
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=-3, stderr=-3)
            time.sleep(rng.uniform(0.3, 1.0) * min(seconds))
            process.kill()
            finished += process.wait() == 0
            kept, damaged = vault.kept()
            for one in kept[-1:]:
                restore(vault, one.name, folder / "restored")
                damaged += [] if ParquetStore(folder / "restored" / "store").fingerprint(_KEY) == fingerprint else ["x"]
                shutil.rmtree(folder / "restored")
            wrong += bool(damaged) or not kept
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        left = list((folder / "backups").glob("*.part"))
    print(
        f"{tries} backups of 600,000 rows killed ({finished} had ended before): {wrong} wrong, {len(left)} files left"
    )
    return wrong + len(left)


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)))
