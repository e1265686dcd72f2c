"""Makes a backup while the system runs, and removes old ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from maestro._core.atomic import remove_leftovers, temporary_path
from maestro._core.locks import locked
from maestro.config import Settings
from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, describe
from maestro.operations.backup.places import Places
from maestro.operations.backup.staging import stage
from maestro.operations.backup.vault import StoredBackup, Vault
from maestro.service.jobs.database import FILE as DATABASE
from maestro.service.last_backup import record_backup


def create(
    places: Places, settings: Settings, vault: Vault, *, keep: int | None = None, folder: Path | None = None
) -> tuple[StoredBackup, list[str]]:
    """Back up everything, whole or not at all.

    Parameters
    ----------
    keep : int, optional
        Number of backups to keep, this one included; older ones are removed after this one is whole.
    folder : path, optional
        For the temporary copy; on the file system of runs and store it costs no space. The setting ``backup.folder``
        by default.

    Returns
    -------
    The new backup, and the names of those that were removed.

    Raises
    ------
    BackupError
        Another backup is being made, there is nothing to back up, or `keep` is below 1.
    """
    if keep is not None and keep < 1:
        raise BackupError(f"{keep} backups cannot be kept; give a number of at least 1.")
    with _working(folder or settings.backup.folder) as working:
        vault.clear()
        now = datetime.now(UTC)
        stage(places, settings, working)
        contents = describe(working, _name(vault, now), now.isoformat(timespec="microseconds"))
        if not contents.files:
            raise BackupError(
                f"there is nothing to back up: no jobs in {places.service}, no runs in {places.runs}, no bars in "
                f"{places.store}; run it where maestro.yaml is, or check `maestro config`."
            )
        (working / NAME).write_bytes(contents.to_bytes())
        vault.put(working, contents)
        if (places.service / DATABASE).is_file():
            record_backup(places.service, contents.name, now)
    kept, _ = vault.backups()
    removed = [one.name for one in kept[: -keep or None]] if keep is not None and len(kept) > keep else []
    vault.forget(removed)
    return next(one for one in kept if one.name == contents.name), removed


def _name(vault: Vault, now: datetime) -> str:
    name = f"maestro-{now:%Y%m%d-%H%M%S}"
    taken = {one.name for one in vault.backups()[0]}
    return next(each for each in (name, *(f"{name}-{k}" for k in range(2, 1_000))) if each not in taken)


@contextmanager
def _working(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, held against other backups; what a killed one left behind is removed first."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    busy = "another backup is being made"
    with locked(folder / ".lock", lambda holder: BackupError(f"{busy} by {holder}; wait for it, or end it.")):
        remove_leftovers(folder)
        working = temporary_path(folder / "staging")
        working.mkdir(mode=0o700)
        try:
            yield working
        finally:
            shutil.rmtree(working, ignore_errors=True)
