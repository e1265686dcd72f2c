"""Backups as tar archives in a folder, compressed by zstd where that is installed, else by gzip."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from maestro._core.atomic import remove_leftovers, replacing, sync_folder
from maestro.errors import BackupError
from maestro.operations.backup.contents import NAME, Contents, parse
from maestro.operations.backup.vault import StoredBackup

_ZSTD, _GZIP = ".tar.zst", ".tar.gz"
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


class Archives:
    """A folder of archives, which only its user may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.folder)

    def put(self, folder: Path, contents: Contents) -> None:
        """Pack a staged folder; the archive gets its name when it is whole and on disk."""
        path = self.folder / f"{contents.name}{_ZSTD if shutil.which('zstd') else _GZIP}"
        with replacing(path) as temporary:
            temporary.touch(mode=0o600)
            with _packing(temporary, path.name.endswith(_ZSTD)) as archive:
                archive.add(folder / NAME, NAME)
                for name in sorted(contents.files):
                    archive.add(folder / name, name)

    def backups(self) -> tuple[list[StoredBackup], list[str]]:
        """See `Vault.backups`; reads the first member of each archive."""
        found, damaged = [], []
        if self.folder.is_dir():
            for path in self._paths():
                try:
                    found.append(StoredBackup(self._contents(path), path.stat().st_size))
                except BackupError as error:
                    damaged.append(str(error))
        return sorted(found, key=lambda one: (one.contents.created, one.name)), damaged

    def take(self, name: str, folder: Path) -> None:
        """See `Vault.take`."""
        path = self._path(name)
        try:
            with _unpacking(path) as archive:
                for member in archive:
                    _extract(archive, member, folder)
        except _BROKEN as error:
            if isinstance(error, OSError) and not isinstance(error, tarfile.TarError) and error.errno is not None:
                raise
            raise BackupError(f"{path} is damaged: {error}; take another backup.") from error

    def forget(self, names: list[str]) -> None:
        """See `Vault.forget`."""
        for name in names:
            self._path(name).unlink()
        if names:
            sync_folder(self.folder)

    def clear(self) -> None:
        """Remove what killed backups left behind."""
        remove_leftovers(self.folder)

    def _paths(self) -> list[Path]:
        return [path for path in sorted(self.folder.iterdir()) if path.name.endswith((_ZSTD, _GZIP))]

    def _path(self, name: str) -> Path:
        return next(self.folder / f"{name}{end}" for end in (_ZSTD, _GZIP) if (self.folder / f"{name}{end}").is_file())

    def _contents(self, path: Path) -> Contents:
        try:
            with _unpacking(path, whole=False) as archive:
                member = archive.next()
                file = archive.extractfile(member) if member is not None and member.name == NAME else None
                content = file.read() if file is not None else b""
        except _BROKEN as error:
            raise BackupError(f"{path} is damaged: {error}; take another backup.") from error
        return parse(content, str(path))


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one file of an archive, never outside the folder.

    `TarFile.extract` can do so by its filters, which Python has since 3.11.4; Debian 12 has 3.11.2.
    """
    place = PurePosixPath(member.name)
    source = archive.extractfile(member) if member.isreg() else None
    target = folder / place
    if source is None or place.is_absolute() or ".." in place.parts or target.exists():
        raise tarfile.TarError(f"{member.name!r} in it is not a file of a backup")
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, open(target, "xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    target.chmod(member.mode & 0o755 | 0o600)
    os.utime(target, (member.mtime, member.mtime))


@contextlib.contextmanager
def _packing(path: Path, zstd: bool) -> Iterator[tarfile.TarFile]:
    if not zstd:
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            yield archive
        return
    with open(path, "wb") as target:
        process = subprocess.Popen(["zstd", "-q", "-T0", "-3"], stdin=subprocess.PIPE, stdout=target)
        with _ended(process, "pack", path):
            assert process.stdin is not None
            with process.stdin, tarfile.open(mode="w|", fileobj=process.stdin) as archive:
                yield archive


@contextlib.contextmanager
def _unpacking(path: Path, *, whole: bool = True) -> Iterator[tarfile.TarFile]:
    """Open an archive for reading; with `whole`, an error of the decompressor at its end is an error too."""
    if path.name.endswith(_GZIP):
        with tarfile.open(path, "r|gz") as archive:
            yield archive
        return
    if shutil.which("zstd") is None:
        raise BackupError(f"{path} is compressed by zstd, which is not installed. On Debian: apt-get install zstd.")
    with open(path, "rb") as source:
        process = subprocess.Popen(
            ["zstd", "-q", "-d", "-c"], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with _ended(process, "unpack", path, check=whole):
            assert process.stdout is not None
            with process.stdout, tarfile.open(mode="r|", fileobj=process.stdout) as archive:
                yield archive
                while whole and process.stdout.read(1 << 20):
                    pass


@contextlib.contextmanager
def _ended(process: subprocess.Popen[Any], what: str, path: Path, *, check: bool = True) -> Iterator[None]:
    """Wait for the compressor; on an error it is ended at once."""
    try:
        yield
    except BaseException:
        process.kill()
        process.wait()
        raise
    if not check:
        process.kill()
    code = process.wait()
    if check and code:
        raise BackupError(f"zstd could not {what} {path} (exit code {code}); the disk may be full or the file damaged.")
