"""The time of the last backup is recorded, and a damaged record is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from maestro.errors import BackupError
from maestro.service.last_backup import FILE, last_backup, record_backup

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_time_is_read_back(tmp_path: Path) -> None:
    assert last_backup(tmp_path) is None
    record_backup(tmp_path, "maestro-1", MADE)
    assert last_backup(tmp_path) == MADE


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": 1, "created": 5}'])
def test_a_damaged_record_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BackupError, match="the next backup writes it again"):
        last_backup(tmp_path)


def test_a_changed_record_is_an_error(tmp_path: Path) -> None:
    record_backup(tmp_path, "maestro-1", MADE)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"2026", b"2027"))
    with pytest.raises(BackupError, match="it was changed"):
        last_backup(tmp_path)
