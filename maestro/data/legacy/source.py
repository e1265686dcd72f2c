"""Where old documents come from: a running RethinkDB, its dump archive, or its exports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from maestro.errors import SettingsError, SourceError

PASSWORD = "MAESTRO_RETHINKDB_PASSWORD"


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """An old table: its database (empty for a lone file) and name."""

    database: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}" if self.database else self.name


class OldSource(Protocol):
    """A place with old tables.

    Errors are `SourceError`: it is away, refuses, or is torn; the message names the table. What was read until then
    is no whole table.
    """

    @property
    def name(self) -> str:
        """Where it is, without secrets."""
        ...

    def tables(self) -> list[Table]:
        """All tables of people, sorted in the order in which they are best read."""
        ...

    def count(self, table: Table) -> int | None:
        """How many documents the source says there are; None where it does not say."""
        ...

    def documents(self, table: Table) -> Iterator[list[Any]]:
        """Documents in batches, each once, as the JSON values that they are."""
        ...

    def close(self) -> None:
        """Give the connection or file back."""
        ...


class SourceAwayError(SourceError):
    """The source does not answer at all, or refuses the user: no table can be read."""


def open_source(text: str | os.PathLike[str], *, timeout: float = 20.0) -> OldSource:
    """Open an old database or what was exported from it.

    Parameters
    ----------
    text : str or path
        ``rethinkdb://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]``; a dump archive (``.tar.gz``); a folder that
        ``rethinkdb export`` wrote; or one ``.json``, ``.ndjson`` or ``.csv`` file (also ``.gz``) named like its table.
    timeout : float [s]
        Longest wait for the server.

    Raises
    ------
    SettingsError
        None of these. The password may also stand in ``MAESTRO_RETHINKDB_PASSWORD``.
    SourceError
        It is away, refuses, or is torn.
    """
    text = os.fspath(text)
    if text.startswith("rethinkdb://"):
        from maestro.data.legacy.rethink import RethinkSource

        parts = urlsplit(text)
        try:
            host, port = parts.hostname, parts.port or 28015
        except ValueError:
            host, port = None, 0
        database = parts.path.strip("/")
        if not host or "/" in database or parts.query:
            shown = text.rsplit("@", 1)[-1].removeprefix("rethinkdb://")
            raise SettingsError(
                f"rethinkdb://{shown} is not understood; give rethinkdb://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]."
            )
        password = unquote(parts.password) if parts.password else os.environ.get(PASSWORD, "")
        return RethinkSource(host, port, unquote(parts.username or "admin"), password, database, timeout=timeout)
    if "://" in text:
        raise SettingsError(
            f"{text.split('://')[0]}:// is no old database; give rethinkdb://HOST, an archive or a file."
        )
    from maestro.data.legacy.exports import ArchiveSource, FilesSource

    path = Path(text).expanduser()
    if not path.exists():
        raise SettingsError(f"there is no {path}; give rethinkdb://HOST, a dump archive, an export folder or a file.")
    if path.is_dir() or not path.name.lower().endswith((".tar.gz", ".tgz")):
        return FilesSource(path)
    return ArchiveSource(path)


def said(error: BaseException) -> str:
    """First line of what an error says, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def torn(where: str, error: BaseException) -> SourceError:
    """Error for a file that ends too early or holds something else."""
    return SourceError(f"{where} cannot be read to its end ({said(error)}); is it whole? Take another copy.")
