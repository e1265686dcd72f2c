"""When the service was last backed up: recorded in its folder, for the metrics."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from maestro._core.atomic import write_atomic
from maestro._core.seal import read_sealed, sealed
from maestro.errors import BackupError

FILE = "last-backup.json"
_FORMAT = 1


def record_backup(folder: Path, name: str, created: datetime) -> None:
    """Record that a backup of the service in a folder is complete."""
    values = {"format": _FORMAT, "name": name, "created": created.astimezone(UTC).isoformat()}
    write_atomic(folder / FILE, sealed(json.dumps(values, indent=1)))


def last_backup(folder: Path) -> datetime | None:
    """Return when the newest backup of the service in a folder was made; None if none was.

    Raises
    ------
    BackupError
        The record is damaged.
    """
    path = folder / FILE
    try:
        found = read_sealed(path.read_bytes(), since=_FORMAT)
        return datetime.fromisoformat(found["created"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is damaged ({error}); the next backup writes it again.") from None
