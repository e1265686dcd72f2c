"""The list of the files of a stored series: a small sealed file, replaced by a rename."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from maestro._core.atomic import sync_folder, target_name
from maestro._core.seal import read_sealed, sealed
from maestro.data.stores.keys import SeriesKey
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.errors import StoreDamagedError
from maestro.typing import IntArray

NAME = "manifest.json"
_FILE = r"\d{4}(-\d\d){0,2}s?-[0-9a-f]{12}\.parquet"
OWN = re.compile(rf"{_FILE}|\.tmp-({_FILE}|manifest\.json)-[0-9a-f]{{12}}")  # the latter: temporary, of older versions
_FORMAT = 2
_SEALED = 2  # the first format with a checksum of its own
_FULL = 45_000  # rows: the longest period that stays below is a file
_PERIODS = (("decade", 3653), ("year", 366), ("month", 31), ("day", 1))  # and days in it


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file: its period, its first and last stamp [µs], its rows, size and checksum."""

    name: str
    period: int
    first: int
    last: int
    rows: int
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files of a series in order of time; `notes` belong to a wrapper and are kept with the rows they describe."""

    key: str
    length: str
    files: tuple[File, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    sealed: bool = field(default=True, compare=False)  # False: read from a file of an earlier version

    def overlapping(self, start: int, end: int) -> list[File]:
        """Files with stamps in [start, end), by their statistics."""
        return [file for file in self.files if file.last >= start and file.first < end]

    def to_bytes(self) -> bytes:
        """Content of the manifest file."""
        values = {name: value for name, value in asdict(self).items() if name != "sealed"}
        return sealed(json.dumps({"maestro": "series", "format": _FORMAT, **values}, indent=1))


def load(path: Path, key: SeriesKey) -> Manifest | None:
    """Read a manifest; None where there is none.

    Raises
    ------
    StoreDamagedError
        The file is not a manifest of this series, was changed, or belongs to a newer Maestro.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = read_sealed(content, since=_SEALED)
        if found["maestro"] != "series" or found["key"] != str(key) or found["length"] not in dict(_PERIODS):
            raise ValueError(f"it is not that of {key}")
        if found["format"] > _FORMAT:
            raise ValueError(f"it has format {found['format']} of a newer Maestro; this one knows {_FORMAT}")
        files = tuple(File(**file) for file in found["files"])
        return Manifest(found["key"], found["length"], files, dict(found["notes"]), found["format"] >= _SEALED)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamagedError(
            f"{path} is not a valid manifest: {error}. Restore it from a backup, or remove the folder and "
            "fetch the series again."
        ) from None


def period_length(key: SeriesKey) -> str:
    """Name of the longest period with fewer than 45,000 rows; events without a timeframe are kept by the year."""
    if not key.timeframe:
        return "year"
    step = timeframe_us(key.timeframe)
    return next((name for name, days in _PERIODS if days * DAY_US // step <= _FULL), "day")


def periods_of(stamps: IntArray, length: str) -> IntArray:
    """Number of the period that each stamp [µs] lies in."""
    moments = stamps.view("datetime64[us]")
    if length == "day":
        return moments.astype("datetime64[D]").astype(np.int64)
    months = moments.astype("datetime64[M]").astype(np.int64)
    return months if length == "month" else (months // 12 + 1970) // (10 if length == "decade" else 1)


def period_name(period: int, length: str) -> str:
    """``2020s``, ``2020``, ``2020-03`` or ``2020-03-31``."""
    if length == "decade":
        return f"{period * 10:04d}s"
    if length == "year":
        return f"{period:04d}"
    return str(np.datetime64(int(period), "M" if length == "month" else "D"))


def is_own(name: str) -> bool:
    """Whether a file of this name in the folder of a series was written by the store, or is a part of one."""
    target = target_name(name)
    return OWN.fullmatch(target or name) is not None or target == NAME


def is_series(folder: Path) -> bool:
    """Whether a folder whose manifest cannot be read was a series: the manifest still says so, or its files are there.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    return b'"maestro": "series"' in (folder / NAME).read_bytes() or any(
        re.fullmatch(_FILE, path.name) for path in folder.glob("*.parquet")
    )


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder below `root`, and those between, durably."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for parent in folder.parents:
            sync_folder(parent)
            if parent == root:
                break


def read_file(folder: Path, file: File) -> bytes:
    """Content of a file as it was written.

    Raises
    ------
    FileNotFoundError
        It is not there (any more).
    StoreDamagedError
        Its size or checksum differ from what the manifest says.
    """
    path = folder / file.name
    content = path.read_bytes()
    if len(content) != file.size or zlib.crc32(content) != file.crc32:
        what = f"has {len(content)} bytes of {file.size}" if len(content) != file.size else "has other content"
        raise damaged(path, f"{what} than when it was written", file)
    return content


def damaged(path: Path, what: str, file: File) -> StoreDamagedError:
    """Error for a file of a manifest: says which, what is wrong, and how to go on."""
    first, last = (np.datetime64(stamp, "us").astype("datetime64[s]") for stamp in (file.first, file.last))
    return StoreDamagedError(
        f"{path} {what}. It held {file.rows} rows from {first} to {last} UTC: put it back from a backup, or delete "
        "that stretch of the series and fetch it again."
    )
