"""A process that writes to a Parquet store without end, and what kills it at random moments and looks at the rest.

``python -m tests.data.stores.killed_writer FOLDER`` writes; with ``500`` behind it, it kills 500 times.
Round `n` appends 300 rows over four files with ``close`` n everywhere; after each round it prints the number, so that
whoever kills it knows what was acknowledged.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from maestro.data.stores import ParquetStore, SeriesKey
from maestro.data.stores.rows import STAMP
from tests.support.forked import forks

KEY = SeriesKey("TEST", "KILLED", "1h")
STAMPS = 1_500_000_000_000_000 + 100 * 3_600_000_000 * np.arange(300)  # three and a half years


def frame(number: int) -> pl.DataFrame:
    """Rows of a round."""
    values = np.full(len(STAMPS), float(number))
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), values)
    return pl.DataFrame({"timestamp": pl.Series(STAMPS).cast(STAMP), **columns})


def main(root: str) -> None:
    """Write for ever."""
    store = ParquetStore(root)
    found = store.read(KEY)
    number = int(found["close"][0]) if len(found) else 0
    print("ready", flush=True)
    while True:
        number += 1
        store.append(KEY, frame(number))
        print(number, flush=True)


def kill_writers(root: Path, times: int, seed: int) -> None:
    """Kill writers at random moments; after each nothing is torn and what was acknowledged is there."""
    random = np.random.default_rng(seed)
    store = ParquetStore(root, wait=1.0)
    printed = root.with_name(f"{root.name}.printed")
    with forks("tests.data.stores.killed_writer") as forked:
        for kill in range(times):
            printed.unlink(missing_ok=True)
            with forked.running(str(root), output=printed) as writer:
                while not (printed.is_file() and printed.read_text().startswith("ready\n")):
                    assert writer.alive, (seed, kill)
                    time.sleep(0.001)
                time.sleep(random.uniform(0.0, 0.15))
            lines = printed.read_text().splitlines()[1:]
            acknowledged = int(lines[-1]) if lines else 0
            found = store.read(KEY)
            values = set(found["close"].to_list())
            assert len(values) <= 1, (seed, kill)
            assert len(found) in (0, 300), (seed, kill)
            assert (values or {0.0}).pop() >= acknowledged, (seed, kill)
            for path in root.rglob("*.parquet"):  # also those that no manifest names
                assert pl.read_parquet(path).height > 0, (seed, kill, path)
            assert store.check() == [], (seed, kill)
    store.append(KEY, frame(10**9))  # no lock is left behind
    assert set(store.read(KEY)["close"].to_list()) == {1e9}
    left = [path.name for path in store.root.joinpath(*KEY.path).iterdir()]
    assert not [name for name in left if name.endswith(".part")]
    assert len(left) <= 9


if __name__ == "__main__":
    if len(sys.argv) > 2:
        kill_writers(Path(sys.argv[1]), times=int(sys.argv[2]), seed=1)
    else:
        main(sys.argv[1])
