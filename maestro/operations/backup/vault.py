"""The interface of a place for backups, and the lookup of a backup by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maestro.errors import BackupError, nearest
from maestro.operations.backup.contents import Contents


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """A whole backup: its name, its content, and the bytes that it takes; None where backups share bytes."""

    contents: Contents
    stored: int | None

    @property
    def name(self) -> str:
        """Name of the backup."""
        return self.contents.name


class Vault(Protocol):
    """A place of backups. A backup that was interrupted is not in it."""

    @property
    def where(self) -> str:
        """Folder or repository."""
        ...

    def put(self, folder: Path, contents: Contents) -> None:
        """Keep a staged folder, whole or not at all."""
        ...

    def backups(self) -> tuple[list[StoredBackup], list[str]]:
        """Return the backups, the oldest first, and what is damaged."""
        ...

    def take(self, name: str, folder: Path) -> None:
        """Unpack a backup into an empty folder."""
        ...

    def forget(self, names: list[str]) -> None:
        """Remove backups."""
        ...

    def clear(self) -> None:
        """Remove what killed backups left behind."""
        ...


def find(vault: Vault, name: str | None) -> StoredBackup:
    """Return a backup by its name or an unambiguous beginning of it; the newest one without a name.

    Raises
    ------
    BackupError
        There is none, or several begin like this.
    """
    kept, damaged = vault.backups()
    if not kept and not damaged:
        raise BackupError(f"there is no backup in {vault.where}; make one: maestro backup create.")
    if name is None:
        if kept:
            return kept[-1]
        raise BackupError(damaged[-1])
    names = [one.name for one in kept]
    hits = [one for one in kept if one.name == name] or [one for one in kept if name and one.name.startswith(name)]
    if len(hits) == 1:
        return hits[0]
    broken = [text for text in damaged if name and name in text]
    if broken:
        raise BackupError(broken[0])
    if hits:
        raise BackupError(f"{len(hits)} backups begin with {name!r} ({', '.join(names[:5])}); give more of the name.")
    raise BackupError(
        f"no whole backup {name!r} in {vault.where}; there are: {', '.join(names[-5:]) or 'none'}."
        + nearest(name, names)
    )
