"""Backups in a restic repository: encrypted and incremental."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, Contents, parse
from maestro.operations.backup.vault import StoredBackup

_TAG = "maestro"
_MISSING = 10  # exit code from restic 0.17 on; earlier ones write the text below, also for a server that is away
_MISSING_TEXT = b"Is there a repository at the following location?"


class Restic:
    """A repository, made if it is missing; its password is the setting ``backup.password``."""

    def __init__(self, repository: str, password: str | None) -> None:
        if not password and not {"RESTIC_PASSWORD", "RESTIC_PASSWORD_FILE", "RESTIC_PASSWORD_COMMAND"} & {*os.environ}:
            raise BackupError(
                "restic encrypts backups and needs a password; set MAESTRO_BACKUP_PASSWORD, and keep it elsewhere: "
                "without it nothing can be restored."
            )
        self.repository = repository
        self._environment = {**os.environ, **({"RESTIC_PASSWORD": password} if password else {})}

    @property
    def where(self) -> str:
        """The repository, without secrets."""
        return f"restic:{self.repository.rsplit('@', 1)[-1]}"

    def put(self, folder: Path, contents: Contents) -> None:
        """See `Vault.put`; a snapshot exists when all of its data is stored."""
        if not self._exists():
            self._run("init")
        self._run("backup", "--quiet", "--tag", f"{_TAG},{contents.name}", ".", folder=folder)

    def backups(self) -> tuple[list[StoredBackup], list[str]]:
        """See `Vault.backups`."""
        found, damaged = [], []
        for name, snapshot in self._snapshots().items():
            done = self._run("dump", snapshot, f"/{NAME}", check=False)
            try:
                found.append(StoredBackup(parse(done.stdout, f"{self.where}: {name}"), None))
            except BackupError as error:
                damaged.append(str(error))
        return sorted(found, key=lambda one: (one.contents.created, one.name)), damaged

    def take(self, name: str, folder: Path) -> None:
        """See `Vault.take`."""
        self._run("restore", self._snapshots()[name], "--target", str(folder))

    def forget(self, names: list[str]) -> None:
        """See `Vault.forget`."""
        known = self._snapshots()
        if names:
            self._run("forget", "--quiet", "--prune", *(known[name] for name in names))

    def clear(self) -> None:
        """Remove the locks of killed backups; restic keeps those of running ones."""
        if self._exists():
            self._run("unlock")

    def _exists(self) -> bool:
        """Whether there is a repository.

        Raises
        ------
        BackupError
            It cannot be reached, or the password is wrong.
        """
        done = self._run("cat", "config", check=False)
        missing = done.returncode == _MISSING or (_MISSING_TEXT in done.stderr and b"dial " not in done.stderr)
        if done.returncode and not missing:
            raise self._failed("cat", done)
        return not done.returncode

    def _snapshots(self) -> dict[str, str]:
        """Ids of the snapshots by the names of the backups."""
        if not self._exists():
            return {}
        listed: list[dict[str, Any]] = json.loads(self._run("snapshots", "--json", "--tag", _TAG).stdout) or []
        return {tag: one["id"] for one in listed for tag in one["tags"] if tag != _TAG}

    def _run(self, *words: str, folder: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            ["restic", "-r", self.repository, *words], capture_output=True, cwd=folder, env=self._environment
        )
        if check and done.returncode:
            raise self._failed(words[0], done)
        return done

    def _failed(self, command: str, done: subprocess.CompletedProcess[bytes]) -> BackupError:
        output = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        return BackupError(f"restic {command} failed in {self.where}: {' '.join(output)}")
