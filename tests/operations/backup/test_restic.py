"""A restic repository keeps, verifies and forgets backups; one that cannot be read is an error, and not empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.errors import BackupError
from maestro.operations.backup import verify
from maestro.operations.backup.restic import Restic
from tests.operations.backup.conftest import System
from tests.support.programs import program


def test_restic_keeps_verifies_and_forgets(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    program("restic")
    monkeypatch.delenv("RESTIC_PASSWORD", raising=False)
    monkeypatch.setenv("MAESTRO_BACKUP_RESTIC", str(system.folder / "repository"))
    with pytest.raises(BackupError, match="set MAESTRO_BACKUP_PASSWORD"):
        system.vault()
    monkeypatch.setenv("MAESTRO_BACKUP_PASSWORD", "secret")
    vault = system.vault()
    assert isinstance(vault, Restic)
    names = [system.back_up(vault).name, system.back_up(vault, keep=1).name]
    assert [one.name for one in vault.backups()[0]] == names[1:]
    outcome = verify(vault)
    assert outcome.passed, outcome.problems
    assert outcome.repeated
    monkeypatch.setenv("MAESTRO_BACKUP_PASSWORD", "wrong")
    with pytest.raises(BackupError, match=r"restic .*failed"):
        system.back_up(system.vault())
    with pytest.raises(BackupError, match="wrong password"):
        system.vault().backups()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program("restic")
    for name in ("RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "repository"


def test_a_missing_repository_is_empty(repository: Path) -> None:
    vault = Restic(str(repository), "secret")
    vault.clear()
    assert vault.backups() == ([], [])
    assert not repository.exists()


def test_a_server_that_is_away_is_not_an_empty_repository(repository: Path) -> None:
    with pytest.raises(BackupError, match=r"restic cat failed in .*connection refused"):
        Restic("rest:http://127.0.0.1:9/", "secret").backups()


def test_a_password_is_needed(repository: Path) -> None:
    with pytest.raises(BackupError, match="set MAESTRO_BACKUP_PASSWORD"):
        Restic(str(repository), None)
