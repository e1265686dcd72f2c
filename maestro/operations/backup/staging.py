"""A consistent copy of all parts of a running system, in one folder.

Runs and Parquet stores consist of files that are replaced and never changed in place, so that hard links to them are
copies. Jobs are copied first and the ledger last: a copied ledger may count a trial whose run is missing, but never the
other way round.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from maestro._core.atomic import target_name
from maestro.config import Settings
from maestro.data.stores import questdb_server
from maestro.data.stores.questdb_http import Connection
from maestro.errors import ServiceError, StoreError
from maestro.ledger.book import INDEX, SUFFIX
from maestro.operations.backup.places import LAYOUT, SETTINGS, Places, parquet_folder
from maestro.runs.backtests import FOLDER as BACKTESTS
from maestro.runs.store import LOCK, MANIFEST
from maestro.service.accounts.keyfile import FILE as KEY
from maestro.service.jobs.database import FILE as DATABASE

_TRIES = 100  # of one series or run that changes while it is copied
_CROSSES = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)  # no hard link is possible here


def stage(places: Places, settings: Settings, folder: Path) -> None:
    """Copy everything into an empty folder.

    Raises
    ------
    ServiceError, StoreError
        The jobs, a series, or QuestDB cannot be copied consistently.
    OSError
        A file cannot be read or copied, or the disk is full.
    """
    service = folder / LAYOUT["service.folder"]
    if (places.service / DATABASE).is_file():
        service.mkdir(mode=0o700)
        _database(places.service / DATABASE, service / DATABASE)
        if (places.service / KEY).is_file():
            shutil.copy2(places.service / KEY, service / KEY)
    if places.service_runs.is_dir():
        _runs(places.service_runs, service / "runs")
    if places.runs.is_dir() and places.runs.resolve() != places.service_runs.resolve():
        _runs(places.runs, folder / LAYOUT["runs_dir"])
    if places.store is not None and places.store.is_dir():
        _store(places.store, folder / LAYOUT["store"])
    if places.questdb is not None:
        _questdb(places.questdb, settings, folder / LAYOUT["servers.questdb.home"] / "root")
    if places.settings is not None:
        shutil.copyfile(places.settings, folder / SETTINGS)
    if places.ledger.is_dir():
        _ledgers(places.ledger, folder / LAYOUT["ledger_dir"])


def _database(source: Path, target: Path) -> None:
    """Copy a database in one transaction; writers are not held up."""
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as live,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error as error:
        raise ServiceError(f"{source} cannot be copied: {error}; nothing was backed up.") from error
    target.chmod(0o600)


def _runs(source: Path, target: Path) -> None:
    for folder in sorted([*source.iterdir(), *(source / BACKTESTS).glob("*")]):
        if folder.is_dir() and (folder / MANIFEST).is_file():
            _unchanged(folder, target / folder.relative_to(source), lambda path: path.name == LOCK)


def _store(source: Path, target: Path) -> None:
    for manifest in sorted(source.glob(f"*/*/*/*/{MANIFEST}")):
        folder = manifest.parent
        _unchanged(folder, target / folder.relative_to(source), lambda path: False)


def _unchanged(source: Path, target: Path, skip: Callable[[Path], bool]) -> None:
    """Link a folder whose manifest vouches for the other files; repeat if the manifest changed meanwhile."""
    for _ in range(_TRIES):
        try:
            before = (source / MANIFEST).read_bytes()
            for path in _files(source):
                if not skip(path):
                    _link(path, target / path.relative_to(source))
            if (source / MANIFEST).read_bytes() == before == (target / MANIFEST).read_bytes():
                return
        except FileNotFoundError:  # it was replaced, or the whole folder was removed
            if not (source / MANIFEST).is_file():
                shutil.rmtree(target, ignore_errors=True)
                return
        shutil.rmtree(target, ignore_errors=True)
    raise StoreError(f"{source} changed {_TRIES} times while it was copied; repeat the backup when it is quieter.")


def _ledgers(source: Path, target: Path) -> None:
    """Copy the ledgers of all users: each anchor before its ledger, the index before the ledgers that it names."""

    def order(path: Path) -> tuple[bool, bool]:
        return not path.name.startswith(INDEX), path.suffix == SUFFIX

    for user in sorted(path for path in source.iterdir() if path.is_dir()):
        index = [path for path in (user / f"{INDEX}.head", user / INDEX) if path.is_file()]
        for path in index:
            _ledger(path, target / user.name)
        ledgers = [path for path in user.iterdir() if path.name.endswith((SUFFIX, f"{SUFFIX}.head"))]
        for path in sorted((path for path in ledgers if path not in index), key=order):
            _ledger(path, target / user.name)


def _ledger(path: Path, folder: Path) -> None:
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1] if path.suffix == SUFFIX else content  # a line may be half written
    folder.mkdir(parents=True, exist_ok=True)
    (folder / path.name).write_bytes(whole)


def _questdb(root: Path, settings: Settings, target: Path) -> None:
    """Copy the root folder of a server at a checkpoint; a server that does not run is copied as it lies."""
    running = questdb_server.status(settings.servers.questdb.home)
    with _checkpoint(running.url if running else None, settings):
        for path in _files(root):
            place = target / path.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # not of the checkpoint
                shutil.copyfile(path, place)
    if running:
        (target / "_restore").touch()  # the server brings its tables back to the checkpoint when it starts


@contextlib.contextmanager
def _checkpoint(url: str | None, settings: Settings) -> Iterator[None]:
    own = settings.servers.questdb
    if url is None:
        if parquet_folder(settings) is None and questdb_server.answers(own.url, own.user, own.password):
            url = own.url
        else:
            yield
            return
    connection = Connection(url, own.user, own.password, own.timeout)
    with contextlib.closing(connection):
        with contextlib.suppress(StoreError):
            connection.ask("CHECKPOINT RELEASE", tries=1)  # of a backup that was killed
        connection.ask("CHECKPOINT CREATE")
        try:
            yield
        finally:
            connection.ask("CHECKPOINT RELEASE")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, the manifest of a run or series first, without temporary and lock files."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names, key=lambda name: (name != MANIFEST, name)):
            if target_name(name) is None:
                yield Path(place) / name


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CROSSES:
            raise
        shutil.copy2(source, target)
