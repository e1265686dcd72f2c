"""Restores a backup into an empty folder, completely or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from maestro._core.atomic import remove_leftovers, sync_folder, temporary_path
from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, Contents, differences
from maestro.operations.backup.places import SETTINGS, restored_settings
from maestro.operations.backup.vault import Vault, find


def restore(vault: Vault, name: str | None, folder: Path) -> Contents:
    """Restore a backup; the folder then has a ``maestro.yaml``, so that every command started in it uses it.

    Raises
    ------
    BackupError
        The folder has something in it or is the working directory, there is no such backup, or it is damaged; nothing
        is left behind.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty, and a restore never overwrites; give an empty or a new folder.")
    if folder.exists() and folder.samefile(Path.cwd()):
        raise BackupError(f"{folder} is the working directory, which a restore cannot replace; give a new folder.")
    kept = find(vault, name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder.parent)
    temporary = temporary_path(folder.absolute())
    temporary.mkdir(mode=0o700)
    try:
        vault.take(kept.name, temporary)
        problems = differences(temporary, kept.contents)
        if problems:
            raise BackupError(
                f"{kept.name} in {vault.where} is damaged: {'; '.join(problems[:5])}"
                f"{f' and {len(problems) - 5} more' if len(problems) > 5 else ''}. Take another backup."
            )
        original = temporary / SETTINGS
        text = restored_settings(original if original.is_file() else None, temporary)
        if original.is_file():
            original.rename(temporary / f"{SETTINGS}.original")
        original.write_text(text)
        (temporary / NAME).unlink()
        _sync(temporary)
        if folder.is_dir():
            folder.rmdir()  # empty; a rename onto it is not possible everywhere
        temporary.rename(folder)
        sync_folder(folder.absolute().parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return kept.contents


def _sync(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            with open(Path(place) / name, "rb+") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))
