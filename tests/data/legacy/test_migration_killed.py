"""A migration that is killed goes on, and can be taken back."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from maestro.data.legacy.journal import migrations
from maestro.data.stores import ParquetStore
from tests.data.legacy.migrating import KEY, TABLE, bars, bits, state
from tests.support.programs import ROOT
from tests.support.rethink.documents import FIELDS, documents, write_dump


def run(arguments: list[str], lines: int | None, delay: float = 0.0) -> bool:
    """Whether a process came to its end; it is killed a moment after so many lines of its progress, if not None."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.rethink.killed_migration", *arguments],
        stdout=subprocess.PIPE, cwd=ROOT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        for _ in range(lines or 0):
            process.stdout.readline()
        if lines is not None:
            time.sleep(delay)
            process.kill()
        rest = process.stdout.read()
        process.wait()
    return "done" in rest


def test_killed_at_random_moments_it_goes_on_and_is_taken_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    store = ParquetStore(tmp_path / "store", wait=1.0)
    rows = bars(6_000)
    mine = pl.concat([rows[2_000:4_000].with_columns(pl.col("close") * 2), bars(7_000)[6_500:]])
    store.append(KEY, mine)
    before = state(store)
    dump = write_dump(tmp_path / "old.tar.gz", {"old": {TABLE: documents(rows)}})
    arguments = [str(dump), str(tmp_path / "store"), str(tmp_path / "journal")]
    allowed = {tuple(row) for frame in (rows, mine) for row in frame.select("timestamp", *FIELDS).iter_rows()}
    halfway = 0
    for lines in (1, 3, 6, 11, 15):  # of: ready, read, 15 batches, 2 of checking
        assert not run(arguments, lines, rng.uniform(0, 0.02))
        found = store.read(KEY)
        assert store.check() == []
        assert set(found.iter_rows()) <= allowed, lines
        halfway += 2_500 < len(found) < 6_500
    assert halfway >= 2, "it was never killed on the way: the test tests nothing"
    assert run(arguments, None)
    (migration,) = migrations(tmp_path / "journal")
    assert bits(store.read(KEY)[:6_000]) == bits(rows)
    tables = migration.manifest["tables"].values()
    assert [(one["inserted"], one["replaced"], one["found"]) for one in tables] == [(4_000, 2_000, 6_000)]
    for lines in (1, 2, 2, 2):  # of: ready, the beginning, the end
        run([*arguments, migration.id], lines, rng.uniform(0, 0.02))
        assert store.check() == []
        assert set(store.read(KEY).iter_rows()) <= allowed, lines
    assert run([*arguments, migration.id], None)
    assert state(store) == before
