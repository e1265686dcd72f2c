"""The embedded store: Parquet files by provider, symbol, timeframe and period, with an atomically replaced manifest."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import logging
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro._core.atomic import sync_folder, write_atomic
from maestro._core.locks import locked
from maestro.config import Settings
from maestro.config.settings import schema
from maestro.data.stores import manifest as manifests
from maestro.data.stores.keys import SeriesKey
from maestro.data.stores.manifest import File, Manifest
from maestro.data.stores.protocol import SeriesInfo, StoreKind
from maestro.data.stores.rows import (
    AppendResult,
    as_stamps,
    check_rows,
    cut,
    empty_rows,
    ends,
    fingerprint_rows,
    merge,
    tidy,
    timestamps_of,
    without,
)
from maestro.errors import (
    SettingsError,
    StoreAccessError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
)
from maestro.typing import IntArray

Notes = dict[str, Any]
_LOG = logging.getLogger("maestro.data")
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class ParquetStore:
    """Series in Parquet files below a folder.

    A series is a folder ``bars/PROVIDER/SYMBOL/1h`` with one file per period (a year of hourly bars, a month of minute
    bars) and a manifest. A write makes new files for the periods it touches and then puts a new manifest in place:
    a reader sees all of it or nothing. Leftovers of a killed writer are removed by the next one. Files carry a
    checksum that every read compares.

    Parameters
    ----------
    root : path
        The folder; made when the first rows come.
    wait : float [s]
        How long to wait for another writer of the same series.
    """

    def __init__(self, root: str | os.PathLike[str], *, wait: float = 30.0) -> None:
        self.root = Path(root).expanduser().absolute()
        self.wait = wait
        self._known: dict[SeriesKey, tuple[str, Manifest]] = {}

    def __repr__(self) -> str:
        return f"ParquetStore({str(self.root)!r})"

    @property
    def name(self) -> str:
        """``parquet:`` and the folder."""
        return f"parquet:{self.root}"

    # -- the protocol -----------------------------------------------------------------------

    def read(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> pl.DataFrame:
        """See `Store.read`. Files outside the range are not opened."""
        return self.snapshot(key, start, end)[0]

    def append(self, key: SeriesKey, frame: pl.DataFrame) -> AppendResult:
        """See `Store.append`. Atomic, whatever the number of files."""
        rows = check_rows(key, frame)
        return self.update(key, rows)[0] if len(rows) else AppendResult()

    def delete(self, key: SeriesKey, start: int | None = None, end: int | None = None, *, stamps: object = None) -> int:
        """See `Store.delete`. Files that go as a whole are not read: damaged ones can be deleted. Follows no link."""
        self._refuse_links(key)
        return self.update(key, None, drop=(start, end), stamps=as_stamps(stamps))[1]

    def series(self) -> list[SeriesInfo]:
        """See `Store.series`; from the manifests alone."""
        found = []
        for key in self.known_keys():
            files = self._manifest(key).files
            if files:
                found.append(SeriesInfo(key, files[0].first, files[-1].last, sum(file.rows for file in files)))
        return sorted(found)

    def fingerprint(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str:
        """See `Store.fingerprint`."""
        return fingerprint_rows(key.series, self.read(key, start, end))

    def version(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> str | None:
        """See `Store.version`: the identity of the manifest file."""
        try:
            found = os.stat(self._folder(key) / manifests.NAME)
        except FileNotFoundError:
            return "none"
        return f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"

    def close(self) -> None:
        """See `Store.close`; nothing is held open."""

    # -- what wrappers and checks use -------------------------------------------------------

    def snapshot(self, key: SeriesKey, start: int | None = None, end: int | None = None) -> tuple[pl.DataFrame, Notes]:
        """Rows of a range and the notes of the series, both of one moment."""
        low, high = ends(start, end)
        with self._explained(self._folder(key), "it cannot be read"):
            while True:
                manifest = self._manifest(key)
                try:
                    parts = [self._rows(key, file) for file in manifest.overlapping(low, high)]
                except FileNotFoundError as error:
                    if self._manifest(key) == manifest:  # otherwise a writer was faster: look again
                        file = next(file for file in manifest.files if str(error.filename).endswith(file.name))
                        raise manifests.damaged(Path(error.filename), "is missing", file) from None
                    continue
                rows = pl.concat(parts, how="diagonal", rechunk=True) if parts else empty_rows(key.series)
                return tidy(key.series, cut(rows, start, end)), manifest.notes

    def known_keys(self) -> list[SeriesKey]:
        """Keys of all series that have a manifest, also without rows."""
        paths = self.root.glob(f"*/*/*/*/{manifests.NAME}")
        return sorted(key for path in paths if (key := SeriesKey.from_path(path.parts[-5:-1])) is not None)

    def notes(self, key: SeriesKey) -> Notes:
        """Notes of a series, empty where there are none."""
        return self._manifest(key).notes

    def update(
        self,
        key: SeriesKey,
        rows: pl.DataFrame | None,
        *,
        drop: tuple[int | None, int | None] | None = None,
        stamps: IntArray | None = None,
        notes: Callable[[Notes], Notes | None] | None = None,
    ) -> tuple[AppendResult, int]:
        """Drop a range (or the listed stamps in it), merge rows and change the notes, all in one step.

        `rows` are checked ones. `notes` gets the present notes while the lock is held and returns the new ones; None
        calls everything off.

        Returns
        -------
        (AppendResult, number of rows dropped)
        """
        folder = self._folder(key)
        everything = rows is None and drop == (None, None) and stamps is None
        with (
            self._explained(folder, "nothing was changed"),
            self._locked(key),
        ):
            old = self._manifest(key, damaged_is_empty=everything)
            noted = notes(dict(old.notes)) if notes else old.notes
            if noted is None:
                return AppendResult(), 0
            change = _Change(self, key, old, rows, drop, stamps)
            try:
                files = change.files(folder)
                if everything or files != old.files or noted != old.notes:
                    self._commit(key, folder, old, Manifest(str(key), old.length, files, noted))
            except BaseException:
                change.undo(folder)
                raise
            return change.counts, change.dropped

    def check(self, key: SeriesKey | None = None) -> list[str]:
        """Read everything and list torn, missing or foreign files; empty if all is well."""
        folders = [self._folder(key)] if key else sorted({path.parent for path in self.root.glob("*/*/*/*/*")})
        problems = []
        for folder in folders:
            own = SeriesKey.from_path(folder.parts[-4:])
            if own is None:
                problems.append(f"{folder} is not a series of Maestro")
                continue
            try:
                files = self._manifest(own).files
            except StoreDamagedError as error:
                problems.append(str(error))
                continue
            for file in files:
                try:
                    self._rows(own, file)
                except FileNotFoundError:
                    problems.append(str(manifests.damaged(folder / file.name, "is missing", file)))
                except StoreDamagedError as error:
                    problems.append(str(error))
            known = {manifests.NAME, *(file.name for file in files)}
            foreign = sorted(path for path in folder.glob("*") if path.name not in known)
            problems += [f"{path} is not Maestro's" for path in foreign if not manifests.is_own(path.name)]
        return problems

    # -- files ------------------------------------------------------------------------------

    def _folder(self, key: SeriesKey) -> Path:
        return self.root.joinpath(*key.path)

    def _refuse_links(self, key: SeriesKey) -> None:
        """Refuse to remove rows through a symbolic link below the root: its target may belong to something else."""
        place = self.root
        for part in key.path:
            place /= part
            if place.is_symlink():
                raise StoreError(
                    f"{place} is a symbolic link to {os.readlink(place)}; no rows are removed through a link. "
                    "Remove the link yourself, or put the folder in its place."
                )

    @contextlib.contextmanager
    def _locked(self, key: SeriesKey) -> Iterator[None]:
        """Hold the series against other writers."""
        path = self.root / ".locks" / "~".join(key.path)
        path.parent.mkdir(parents=True, exist_ok=True)

        def refuse(holder: str) -> StoreLockedError:
            return StoreLockedError(
                f"{key} in {self.root} is being written by {holder}; waited {self.wait:g} s. "
                "Try again when that has ended, or end it: the lock is released with its process."
            )

        with locked(path, refuse, wait=self.wait):
            yield

    def _manifest(self, key: SeriesKey, damaged_is_empty: bool = False) -> Manifest:
        version = self.version(key) or ""
        known = self._known.get(key)
        if known is not None and known[0] == version and version != "none":
            return known[1]
        folder = self._folder(key)
        try:
            found = manifests.load(folder / manifests.NAME, key)
        except StoreDamagedError:
            if damaged_is_empty and manifests.is_series(folder):
                return Manifest(str(key), manifests.period_length(key))
            raise
        if found is not None:
            if not found.sealed:
                self._confirm(key, found)
            self._known[key] = (version, found)  # if it changed in between, the version is old: it is read again
            return found
        foreign = [path for path in folder.glob("*.parquet") if not manifests.is_own(path.name)]
        if foreign:
            raise StoreDamagedError(
                f"{foreign[0]} was not written by Maestro; move it away and take its rows in with "
                "`maestro data import`."
            )
        return Manifest(str(key), manifests.period_length(key))

    def _rows(self, key: SeriesKey, file: File) -> pl.DataFrame:
        folder = self._folder(key)
        content = manifests.read_file(folder, file)
        try:
            rows = tidy(key.series, pl.read_parquet(io.BytesIO(content)))
        except pl.exceptions.PolarsError as error:
            raise manifests.damaged(folder / file.name, f"cannot be read ({error})", file) from None
        stamps = timestamps_of(rows)
        if len(rows) != file.rows or not len(rows) or (int(stamps[0]), int(stamps[-1])) != (file.first, file.last):
            raise manifests.damaged(folder / file.name, "has other rows than its manifest says", file)
        return rows

    def _confirm(self, key: SeriesKey, manifest: Manifest) -> None:
        """Compare a manifest without a checksum, of an earlier version, with all of its files."""
        folder = self._folder(key)
        for file in manifest.files:
            try:
                self._rows(key, file)
            except FileNotFoundError as error:
                raise manifests.damaged(Path(error.filename), "is missing", file) from None
            if not (manifests.periods_of(np.array([file.first, file.last]), manifest.length) == file.period).all():
                raise manifests.damaged(folder / file.name, "is in another period than its manifest says", file)
        _LOG.warning(
            "%s has no checksum: an earlier version wrote it. It agrees with its %d files; the next write of the "
            "series adds the checksum.", folder / manifests.NAME, len(manifest.files),
        )  # fmt: skip

    def _commit(self, key: SeriesKey, folder: Path, old: Manifest, new: Manifest) -> None:
        if not new.files and not new.notes:
            if not folder.is_dir():
                return
            (folder / manifests.NAME).unlink(missing_ok=True)
        else:
            manifests.make_folder(folder, self.root)
            write_atomic(folder / manifests.NAME, new.to_bytes(), sync=False)
        self._known.pop(key, None)
        sync_folder(folder)
        # Files that only the old manifest names stay until the next write: a reader may be about to open them.
        keep = {file.name for file in (*new.files, *(old.files if new.files else ()))}
        for path in folder.iterdir():
            if manifests.is_own(path.name) and path.name not in keep:
                path.unlink(missing_ok=True)
        if not new.files and not new.notes:
            with contextlib.suppress(OSError):  # foreign files keep it
                folder.rmdir()

    @contextlib.contextmanager
    def _explained(self, folder: Path, outcome: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{error.filename or folder}: {error.strerror}; {outcome}."
            if error.errno in _FULL_DISK:
                raise StoreFullError(f"{message} Make room, then repeat.") from error
            if error.errno in _FORBIDDEN:
                raise StoreAccessError(f"{message} Give yourself the right, or choose another folder.") from error
            raise StoreError(message) from error


def open_parquet(text: str, settings: Settings) -> ParquetStore:
    """Open a folder, ``FOLDER`` or ``parquet:FOLDER``; ``parquet`` alone is the built-in folder."""
    folder = schema()["store"].default if text == "parquet" else text.removeprefix("parquet:")
    if not folder:
        raise SettingsError("the store has no name; give a folder, questdb, or questdb://HOST:PORT.")
    return ParquetStore(Path(folder).expanduser())


KIND = StoreKind(open_parquet, example="a folder")


class _Change:
    """New files for the periods that a write touches; the others stay as they are."""

    def __init__(
        self,
        store: ParquetStore,
        key: SeriesKey,
        old: Manifest,
        rows: pl.DataFrame | None,
        drop: tuple[int | None, int | None] | None,
        stamps: IntArray | None,
    ) -> None:
        self.store, self.key, self.old, self.drop, self.stamps = store, key, old, drop, stamps
        self.rows = empty_rows(key.series) if rows is None else rows
        self.counts = AppendResult()
        self.dropped = 0
        self._made: list[str] = []

    def files(self, folder: Path) -> tuple[File, ...]:
        """Files of the new manifest, in order of time."""
        stamps = timestamps_of(self.rows)
        periods = manifests.periods_of(stamps, self.old.length)
        edges = np.flatnonzero(np.diff(periods, prepend=periods[:1] - 1, append=periods[-1:] + 1))
        parts = {
            int(periods[low]): self.rows.slice(low, high - low) for low, high in itertools.pairwise(edges.tolist())
        }
        files = {file.period: file for file in self.old.files}
        dropping = self._dropping()
        for period in sorted(parts.keys() | {file.period for file in dropping}):
            file = files.get(period)
            rows = self._period(file, parts.get(period, self.rows.clear()), file in dropping)
            if rows is None:
                continue
            files.pop(period, None)
            if len(rows):
                files[period] = self._write(folder, period, rows)
        return tuple(files[period] for period in sorted(files))

    def _dropping(self) -> list[File]:
        if self.drop is None:
            return []
        low, high = ends(*self.drop)
        if self.stamps is not None:
            listed = self.stamps[(self.stamps >= low) & (self.stamps < high)]
            return [file for file in self.old.files if ((listed >= file.first) & (listed <= file.last)).any()]
        return self.old.overlapping(low, high)

    def _period(self, file: File | None, new: pl.DataFrame, drop: bool) -> pl.DataFrame | None:
        """Rows of a period after the write; None where they stay the same."""
        old = self.rows.clear()
        if file is not None and drop and self.drop is not None and self.stamps is None and not len(new):
            start, end = self.drop
            if (start is None or start <= file.first) and (end is None or end > file.last):
                self.dropped += file.rows
                return old
        if file is not None:
            try:
                old = self.store._rows(self.key, file)
            except FileNotFoundError as error:
                raise manifests.damaged(Path(error.filename), "is missing", file) from None
        kept = without(old, *self.drop, self.stamps) if drop and self.drop else old
        self.dropped += len(old) - len(kept)
        merged, counts = merge(self.key.series, kept, new)
        self.counts += counts
        if file is not None and tidy(self.key.series, merged).equals(old):
            return None
        return merged

    def _write(self, folder: Path, period: int, rows: pl.DataFrame) -> File:
        buffer = io.BytesIO()
        tidy(self.key.series, rows).write_parquet(buffer, compression="lz4", statistics=True)
        content = buffer.getvalue()
        name = f"{manifests.period_name(period, self.old.length)}-{secrets.token_hex(6)}.parquet"
        manifests.make_folder(folder, self.store.root)
        self._made.append(name)
        write_atomic(folder / name, content, sync=False)
        stamps = timestamps_of(rows)
        return File(name, period, int(stamps[0]), int(stamps[-1]), len(rows), len(content), zlib.crc32(content))

    def undo(self, folder: Path) -> None:
        """Remove what was written and is in no manifest."""
        committed = {file.name for file in self.store._manifest(self.key).files}
        for name in self._made:
            if name not in committed:
                (folder / name).unlink(missing_ok=True)
