"""Unpack a data file from any archive or compression, recognised by its first bytes instead of its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from maestro.data.files.columns import listing
from maestro.data.files.dialects import LOOKED_AT, as_utf8, sniff
from maestro.data.files.limits import check_size
from maestro.errors import BarsError, MissingExtraError, nearest

ENDINGS = (
    ".csv", ".txt", ".tsv", ".tab", ".dat", ".asc", ".prn", ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".json",
    ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".gz", ".zip", ".bz2", ".xz", ".zst",
)  # fmt: skip
"""Endings of files that are read."""
_PIECE = 2**22
_TAKEN_APART = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
)
_ASIDE = re.compile(r"(?i)(readme|licen[cs]e|notice|changelog|checksum|manifest|metadata)")
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls); save it as .xlsx or CSV"),
    (b"SQLite format 3", "an SQLite database; write its table as CSV or Parquet"),
    (b"\x89HDF", "an HDF5 file; write its table as Parquet: pandas.read_hdf(…).to_parquet(…)"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"%PDF", "a PDF; give the data itself"),
    (b"\x80\x04", "a pickle, which may run any code and is not read; write it as Parquet"),
    (b"\x80\x05", "a pickle, which may run any code and is not read; write it as Parquet"),
)


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes of one data file, its own name, and how it was packed, in words."""

    data: bytes
    name: str
    packing: str = ""

    @property
    def workbook(self) -> bool:
        """Whether it is an Excel workbook."""
        return self.data[:2] == b"PK"


def read_content(path: Path, member: str = "") -> Content:
    """Read a file and unpack it, through all layers of packing.

    Parameters
    ----------
    path : Path
    member : str
        Which file of an archive.

    Raises
    ------
    BarsError
        A damaged or empty file, an archive of several data files where `member` names none, or a format that is not
        read.
    """
    try:
        if zipfile.is_zipfile(path) and not _is_workbook(path):
            content = _of_zip(path, member)
        else:
            content = Content(path.read_bytes(), path.name)
        return _unpacked(content, path)
    except _TAKEN_APART as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile) and error.errno is not None:
            raise BarsError(f"{path} cannot be read: {error.strerror or error}.") from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BarsError(f"{path} cannot be read ({reason}); is the file complete?") from None


def members_of(path: Path) -> list[str]:
    """Data files in an archive: no folder, resource fork of macOS, readme or licence."""
    with zipfile.ZipFile(path) as packed:
        names = [one.filename for one in packed.infolist() if not one.is_dir()]
    names = [
        name for name in names if not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")
    ]
    data = [name for name in names if name.lower().endswith(ENDINGS)]
    plain = [name for name in data if not _ASIDE.search(PurePosixPath(name).stem)]
    return plain or data or names


def is_archive(path: Path) -> bool:
    """Whether a file is an archive of files."""
    return path.is_file() and zipfile.is_zipfile(path) and not _is_workbook(path)


def _is_workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as packed:
        return "[Content_Types].xml" in packed.namelist()


def _of_zip(path: Path, member: str) -> Content:
    names = members_of(path)
    if member:
        found = [name for name in names if name == member or PurePosixPath(name).name == member]
        if len(found) != 1:
            raise BarsError(f"{path} has no file {member!r}; it has {listing(names)}.{nearest(member, names)}")
        names = found
    if not names:
        raise BarsError(f"{path} is an empty archive.")
    if len(names) > 1:
        names = _with_rows(path, names) or names
    if len(names) > 1:
        raise BarsError(
            f"{path} holds {len(names)} files ({listing(names)}); give one of them as {path.name}#{names[0]}."
        )
    with zipfile.ZipFile(path) as packed:
        entry = packed.getinfo(names[0])
        if entry.flag_bits & 1:
            raise BarsError(f"{path} is encrypted; unpack it first.")
        with packed.open(entry) as stream:
            return Content(_all_of(stream, path), PurePosixPath(names[0]).name, f"zip of {names[0]}, ")


def _with_rows(path: Path, names: list[str]) -> list[str]:
    """Members that are not text without rows of data, such as the report beside HistData's rows."""
    kept = []
    with zipfile.ZipFile(path) as packed:
        for name in names:
            if not name.lower().endswith((".txt", ".json", ".dat")) or packed.getinfo(name).flag_bits & 1:
                kept.append(name)
                continue
            with packed.open(name) as stream:
                head = as_utf8(stream.read(LOOKED_AT))[0].decode(errors="ignore")
            try:
                if head.lstrip()[:1] not in "[{":
                    sniff(head, name, whole=len(head) < LOOKED_AT)
            except BarsError:
                continue  # a report, not data
            kept.append(name)
    return kept


def _unpacked(content: Content, path: Path) -> Content:
    for _ in range(3):  # a .csv.gz in a zip
        found = next((one for one in _PACKINGS if content.data.startswith(one[0])), None)
        if found is None:
            break
        with found[2](io.BytesIO(content.data)) as stream:
            data = _all_of(stream, path)
        name = re.sub(r"(?i)\.(gz|bz2|xz|zst)$", "", content.name)
        content = Content(data, name, f"{content.packing}{found[1]}, ")
    for magic, what in _FOREIGN:
        if content.data.startswith(magic):
            raise BarsError(f"{path} is {what}.")
    if content.data[257:262] == b"ustar":
        raise BarsError(f"{path} is a tar archive; unpack it first.")
    blank = b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"
    if not content.data[:1_000].strip(blank) and not content.data.strip(blank):
        raise BarsError(f"{path} is empty.")
    return content


def _zstandard(stream: IO[bytes]) -> Any:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError("pyarrow, which unpacks .zst,", "report") from None
    return pa.CompressedInputStream(stream, "zstd")


_PACKINGS: tuple[tuple[bytes, str, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda stream: gzip.GzipFile(fileobj=stream)),
    (b"BZh", "bzip2", bz2.BZ2File),
    (b"\xfd7zXZ", "xz", lzma.LZMAFile),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstandard),
)


def _all_of(stream: IO[bytes], path: Path) -> bytes:
    pieces, size = [], 0
    while piece := stream.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        check_size(size, path)
    return b"".join(pieces)
