"""Backups in a restic repository: encrypted, and only what changed is stored again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, Contents, parse
from maestro.operations.backup.vault import Kept

_TAG = "maestro"


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
        if self._run("cat", "config", check=False).returncode:
            self._run("init")
        self._run("backup", "--quiet", "--tag", f"{_TAG},{contents.name}", ".", folder=folder)

    def kept(self) -> tuple[list[Kept], list[str]]:
        """See `Vault.kept`."""
        found, damaged = [], []
        for name, snapshot in self._snapshots().items():
            done = self._run("dump", snapshot, f"/{NAME}", check=False)
            try:
                found.append(Kept(parse(done.stdout, f"{self.where}: {name}"), None))
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
        if not self._run("cat", "config", check=False).returncode:
            self._run("unlock")

    def _snapshots(self) -> dict[str, str]:
        """Ids of the snapshots by the names of the backups."""
        if self._run("cat", "config", check=False).returncode:
            return {}
        listed: list[dict[str, Any]] = json.loads(self._run("snapshots", "--json", "--tag", _TAG).stdout) or []
        return {tag: one["id"] for one in listed for tag in one["tags"] if tag != _TAG}

    def _run(self, *words: str, folder: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            ["restic", "-r", self.repository, *words], capture_output=True, cwd=folder, env=self._environment
        )
        if check and done.returncode:
            output = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
            raise BackupError(f"restic {words[0]} failed in {self.where}: {' '.join(output)}")
        return done
