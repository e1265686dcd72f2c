"""The file of one finished fold of an unfinished run, with the run, the fold and the code that computed it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from typing import Any

import polars as pl

from maestro._core.parquet import parquet_bytes, read_parquet_bytes
from maestro._core.seal import read_sealed, sealed
from maestro.runs.identity import own_code

_META = "fold.json"
_FORMAT = 2  # the first format with an identity and checksums
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, NotImplementedError, RuntimeError,
           zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What reading a damaged archive raises."""


class UnusableFold(Exception):  # the fold is computed again, nobody sees an error
    """A file that is not the finished fold that was looked for; its message says why."""


def fold_bytes(run: str, fold: int, meta: dict[str, Any], frames: dict[str, pl.DataFrame]) -> bytes:
    """Return the content of a fold's file: a zip of plain values and Parquet tables.

    Parameters
    ----------
    run : str
        Id of the run.
    fold : int
    meta : dict, of JSON
    frames : dict of polars frames
    """
    tables = {f"{name}.parquet": parquet_bytes(frame) for name, frame in frames.items()}
    values = {
        "format": _FORMAT, "run": run, "fold": fold, "code": own_code(), "meta": meta,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()},
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(_META, sealed(json.dumps(values, indent=1, default=str)))
        for name, content in tables.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read_fold_bytes(content: bytes, run: str, fold: int) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """Return the plain values and the tables of a fold's file.

    Raises
    ------
    UnusableFold
        The file is damaged, of another run or fold, or was made by other code of Maestro's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            values = read_sealed(archive.read(_META), since=_FORMAT)
            for name, expected, what in (
                ("format", _FORMAT, "of another version of Maestro"),
                ("run", run, "of another run"),
                ("fold", fold, "of another fold"),
                ("code", own_code(), "made by another state of Maestro's code"),
            ):
                if values.get(name) != expected:
                    raise UnusableFold(f"is {what}")
            tables = {name: archive.read(name) for name in values["sha256"]}
        if any(hashlib.sha256(table).hexdigest() != values["sha256"][name] for name, table in tables.items()):
            raise UnusableFold("is damaged")
        return dict(values["meta"]), {
            name.removesuffix(".parquet"): read_parquet_bytes(table) for name, table in tables.items()
        }
    except _DAMAGE as error:
        raise UnusableFold("is damaged") from error
