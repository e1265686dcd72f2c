"""The journal of a migration: no changed bit of it is believed, and no missing part is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from maestro._core.processes import host_id
from maestro.data.legacy.journal import Migration, begin, reopen
from maestro.data.stores import SeriesKey
from maestro.errors import StoreDamagedError
from tests.support.processes import ended_process

KEY = SeriesKey("TEST", "BTCUSD", "1h")


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    with begin(tmp_path, {"source": "rethinkdb", "target": "parquet:/rows"}) as (new, _):
        for number in range(3):
            new.add_undo(KEY, pl.DataFrame({"close": [float(number)]}))
    return new


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1 << position % 8]) + content[position + 1 :]


def test_what_a_killed_migration_left_behind_goes_with_the_next_batch(migration: Migration) -> None:
    batches = migration.folder / "undo" / "~".join(KEY.path)
    left = batches / f".000003-0123456789abcdef.parquet.{host_id()}-{ended_process()}-0123abcd.part"
    left.write_bytes(b"half")
    migration.add_undo(KEY, pl.DataFrame({"close": [3.0]}))
    assert not left.exists()
    assert len(list(batches.iterdir())) == 4


def test_no_changed_bit_of_the_manifest_is_believed(migration: Migration) -> None:
    path = migration.folder / "manifest.json"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(flipped(whole, position))
        with pytest.raises(StoreDamagedError, match="cannot be read"), reopen(migration.folder.parent, migration.id):
            pass
    path.write_bytes(whole)
    with reopen(migration.folder.parent, migration.id) as found:
        assert found.manifest["target"] == "parquet:/rows"


def test_the_manifest_of_an_earlier_version_is_read_and_sealed_by_the_next_write(migration: Migration) -> None:
    path = migration.folder / "manifest.json"
    path.write_text(json.dumps(migration.manifest))
    with reopen(migration.folder.parent, migration.id) as found:
        found.save()
    assert "seal" in json.loads(path.read_text())


def test_a_copied_manifest_of_another_migration_is_refused(migration: Migration) -> None:
    other = migration.folder.with_name("other")
    migration.folder.rename(other)
    with (
        pytest.raises(StoreDamagedError, match=f"it is that of migration {migration.id}"),
        reopen(other.parent, "other"),
    ):
        pass


def test_batches_to_undo_are_read_as_they_were_written(migration: Migration) -> None:
    folder = migration.folder / "undo" / "~".join(KEY.path)
    found = migration.undo(KEY)
    assert found is not None
    assert found["close"].to_list() == [0.0, 1.0, 2.0]
    middle = sorted(folder.iterdir())[1]
    whole = middle.read_bytes()
    middle.write_bytes(flipped(whole, len(whole) // 2))
    with pytest.raises(StoreDamagedError, match=f"{middle} was changed"):
        migration.undo(KEY)
    middle.unlink()
    with pytest.raises(StoreDamagedError, match=r"batch 000001 of .* is missing"):
        migration.undo(KEY)
