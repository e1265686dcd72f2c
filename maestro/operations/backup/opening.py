"""The configured place for backups: a restic repository, otherwise a folder of archives."""

from __future__ import annotations

import shutil
from pathlib import Path

from maestro.config import Settings
from maestro.errors import BackupError
from maestro.operations.backup.archives import Archives
from maestro.operations.backup.restic import Restic
from maestro.operations.backup.vault import Vault


def open_vault(settings: Settings, folder: Path | None = None) -> Vault:
    """Return the vault of the settings: restic if a repository is configured, else archives in a folder.

    Raises
    ------
    BackupError
        A repository is configured, but restic is not installed.
    """
    own = settings.backup
    if folder is None and own.restic is not None:
        if shutil.which("restic") is None:
            raise BackupError(
                f"backup.restic is {own.restic}, but restic is not installed; install it (on Debian: apt-get install "
                "restic), or unset backup.restic to keep archives in backup.folder."
            )
        return Restic(own.restic, own.password)
    return Archives(folder or own.folder)
