"""Backups go to the restic repository of the settings, or else to a folder of archives."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.config import load_settings
from maestro.errors import BackupError
from maestro.operations.backup import opening
from maestro.operations.backup.archives import Archives
from maestro.operations.backup.opening import open_vault
from maestro.operations.backup.restic import Restic


@pytest.fixture(autouse=True)
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository and a folder in the settings; restic counts as installed."""
    for name in ("MAESTRO_BACKUP_RESTIC", "MAESTRO_BACKUP_FOLDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAESTRO_BACKUP_PASSWORD", "secret")
    (tmp_path / "maestro.yaml").write_text("backup:\n  restic: sftp:me@host:/b\n  folder: kept\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening.shutil, "which", lambda name: f"/usr/bin/{name}")


def test_a_repository_goes_before_the_folder_of_the_settings() -> None:
    vault = open_vault(load_settings())
    assert isinstance(vault, Restic)
    assert vault.where == "restic:host:/b", "without the user"


def test_an_explicit_folder_overrides_the_repository(tmp_path: Path) -> None:
    vault = open_vault(load_settings(), tmp_path / "other")
    assert isinstance(vault, Archives)
    assert str(tmp_path / "other") in vault.where


def test_without_a_repository_archives_are_kept_in_the_folder_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "maestro.yaml").write_text("backup:\n  folder: kept\n")
    assert str(tmp_path / "kept") in open_vault(load_settings()).where


def test_a_repository_without_restic_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening.shutil, "which", lambda name: None)
    with pytest.raises(BackupError, match="restic is not installed; install it"):
        open_vault(load_settings())
