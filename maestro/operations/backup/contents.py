"""The contents of a backup: every file with its size and SHA-256, in a sealed manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro._core.seal import read_sealed, sealed
from maestro.errors import BackupError
from maestro.version import __version__

NAME = "backup.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Contents:
    """Content of one backup.

    Attributes
    ----------
    name : str
    created : str
        UTC, ISO 8601.
    version : str
        Of Maestro.
    files : dict
        Size [bytes] and SHA-256 by path.
    """

    name: str
    created: str
    version: str
    files: dict[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    def to_bytes(self) -> bytes:
        """Content of the manifest file."""
        values = {"format": _FORMAT, "name": self.name, "created": self.created, "version": self.version}
        return sealed(json.dumps({**values, "files": self.files}, indent=1))


def describe(folder: Path, name: str, created: str) -> Contents:
    """Read and hash every file of a folder."""
    files = {path.relative_to(folder).as_posix(): _sum(path) for path in _files(folder) if path.name != NAME}
    return Contents(name, created, __version__, files)


def parse(content: bytes, where: str) -> Contents:
    """Return what a manifest says.

    Raises
    ------
    BackupError
        It is not a manifest of a backup, was changed, or belongs to a newer Maestro.
    """
    try:
        found: dict[str, Any] = read_sealed(content, since=_FORMAT)
        if found["format"] > _FORMAT:
            raise ValueError(f"it has format {found['format']} of a newer Maestro; this one knows {_FORMAT}")
        files = {str(path): (int(size), str(sum_)) for path, (size, sum_) in found["files"].items()}
        return Contents(str(found["name"]), str(found["created"]), str(found["version"]), files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{where} is not a whole backup: {NAME}: {error}; take another one.") from None


def differences(folder: Path, contents: Contents) -> list[str]:
    """Return every way in which a folder is not what the manifest says."""
    found = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    found.pop(NAME, None)
    problems = [f"{name} is missing" for name in sorted(contents.files.keys() - found.keys())]
    problems += [f"{name} is not in the manifest" for name in sorted(found.keys() - contents.files.keys())]
    for name in sorted(contents.files.keys() & found.keys()):
        if _sum(found[name]) != contents.files[name]:
            problems.append(f"{name} has another content than when it was backed up")
    return problems


def _sum(path: Path) -> tuple[int, str]:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
