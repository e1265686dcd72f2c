"""Files written by ``rethinkdb dump`` and ``rethinkdb export``, read as a stream: archives, folders, single files."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from maestro.data.legacy.source import Table, damaged_export
from maestro.errors import SourceError

_BATCH = 5_000  # documents
_CHUNK = 2**20  # bytes
_LONGEST = 2**24  # characters of one document
_BETWEEN = " \t\r\n,"
_ENDING = re.compile(r"\.(json|ndjson|jsonl|csv)(\.gz)?$", re.IGNORECASE)
_TORN = (EOFError, zlib.error, OSError, tarfile.TarError, UnicodeDecodeError, json.JSONDecodeError, csv.Error)


class _Exports:
    """Tables that are files; how a file is opened is the subclass's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: dict[Table, tuple[str, Callable[[], IO[bytes]]]] = {}

    @property
    def name(self) -> str:
        """The path, absolute."""
        return str(self.path.absolute())

    def tables(self) -> list[Table]:
        """See `OldSource.tables`; in the order in which they lie in an archive."""
        return list(self._files)

    def count(self, table: Table) -> int | None:
        """See `OldSource.count`: exports do not say; a JSON array says where it ends."""
        return None

    def documents(self, table: Table) -> Iterator[list[Any]]:
        """See `OldSource.documents`."""
        place, opened = self._files[table]
        where = f"{self.path}: {place}" if place != str(self.path) else place
        try:
            with opened() as raw:
                stream = gzip.open(raw) if place.lower().endswith(".gz") else raw  # noqa: SIM115 (a view of `raw`)
                is_csv = place.lower().removesuffix(".gz").endswith(".csv")
                found = csv_documents(stream) if is_csv else json_documents(stream, where)
                while batch := list(islice(found, _BATCH)):
                    yield batch
        except _TORN as error:
            raise damaged_export(where, error) from None

    def close(self) -> None:
        """See `OldSource.close`."""

    def _add(self, place: str, opened: Callable[[], IO[bytes]], *, database: bool) -> None:
        parts = PurePosixPath(place).parts
        if not _ENDING.search(parts[-1]):
            return
        table = Table(parts[-2] if database and len(parts) > 1 else "", _ENDING.sub("", parts[-1]))
        if table in self._files:
            raise SourceError(f"{self.path} holds table {table} twice: {self._files[table][0]} and {place}; keep one.")
        self._files[table] = place, opened


class ArchiveSource(_Exports):
    """A dump archive (``.tar.gz``): ``NAME/DATABASE/TABLE.json`` and ``.info``. Nothing is unpacked to disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with contextlib.ExitStack() as stack:
            try:
                self._archive = stack.enter_context(tarfile.open(path, "r:gz"))
                members = [member for member in self._archive.getmembers() if member.isfile()]
                while self._archive.fileobj.read(_CHUNK):  # type: ignore[union-attr]
                    continue  # to the checksum at its end, which vouches for all of it
            except _TORN as error:
                raise damaged_export(str(path), error) from None
            for member in members:
                self._add(member.name, lambda member=member: self._open(member), database=True)  # type: ignore[misc]
            stack.pop_all()

    def _open(self, member: tarfile.TarInfo) -> IO[bytes]:
        stream = self._archive.extractfile(member)
        assert stream is not None  # only files were taken
        return stream

    def close(self) -> None:
        """See `OldSource.close`."""
        self._archive.close()


class FilesSource(_Exports):
    """A folder of ``rethinkdb export`` (``DATABASE/TABLE.json``, ``.ndjson`` or ``.csv``), or one such file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        if path.is_file():
            self._add(str(path), lambda: path.open("rb"), database=False)
        for file in sorted(path.rglob("*")) if path.is_dir() else ():
            if file.is_file():
                place = file.relative_to(path).as_posix()
                self._add(place, lambda file=file: file.open("rb"), database=True)  # type: ignore[misc]
        if not self._files:
            raise SourceError(f"{path} holds no .json, .ndjson or .csv; give what rethinkdb dump or export wrote.")


def json_documents(stream: Any, where: str) -> Iterator[Any]:
    """Values of a JSON array, or of JSON values one after the other (NDJSON), without holding them all.

    Raises
    ------
    SourceError
        Text that is not JSON, or an array that is not closed.
    """
    decode = json.JSONDecoder().raw_decode
    text = codecs.getincrementaldecoder("utf-8-sig")()
    buffer, at, ended = "", 0, False
    in_array = closed = False

    def more() -> None:
        nonlocal buffer, at, ended
        chunk = stream.read(_CHUNK)
        ended = not chunk
        buffer, at = buffer[at:] + text.decode(chunk, final=ended), 0

    started = False
    while True:
        while at < len(buffer) and buffer[at] in _BETWEEN:
            at += 1
        if at == len(buffer):
            if ended:
                break
            more()
            continue
        sign = buffer[at]
        if not started and sign == "[":
            in_array, started, at = True, True, at + 1
            continue
        if closed or (sign == "]" and not in_array):
            raise SourceError(f"{where} goes on after its end: {buffer[at : at + 40]!r}; is it one whole export?")
        if sign == "]":
            closed, at = True, at + 1
            continue
        started = True
        try:
            value, at = decode(buffer, at)
        except json.JSONDecodeError as error:
            if not ended and len(buffer) - at < _LONGEST:
                more()
                continue
            raise damaged_export(where, error) from None
        yield value
    if in_array and not closed:
        raise SourceError(f"{where} ends in the middle: its list is not closed. Take another copy.")


def csv_documents(stream: Any) -> Iterator[dict[str, Any]]:
    """Rows of a CSV with a header; cells that are empty are left out, as fields that a document lacks are exported."""
    with io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        for row in csv.DictReader(text):
            yield {name: cell for name, cell in row.items() if name is not None and cell not in ("", None)}
