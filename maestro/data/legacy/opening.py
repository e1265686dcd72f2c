"""Opening an old database, or a dump or export of it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from maestro.config import load_settings
from maestro.data.legacy.exports import ArchiveSource, FilesSource
from maestro.data.legacy.rethink import RethinkSource
from maestro.data.legacy.source import OldSource
from maestro.errors import SettingsError


def open_legacy(text: str | os.PathLike[str], *, timeout: float = 20.0) -> OldSource:
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
        None of these. The password may also be given in ``MAESTRO_RETHINKDB_PASSWORD``.
    SourceError
        It does not answer, refuses, or is incomplete.
    """
    text = os.fspath(text)
    if text.startswith("rethinkdb://"):
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
        password = load_settings().servers.rethinkdb.password or ""
        if parts.password:
            password = unquote(parts.password)
        return RethinkSource(host, port, unquote(parts.username or "admin"), password, database, timeout=timeout)
    if "://" in text:
        raise SettingsError(
            f"{text.split('://')[0]}:// is not an old database; give rethinkdb://HOST, an archive or a file."
        )
    path = Path(text).expanduser()
    if not path.exists():
        raise SettingsError(
            f"there is no file or folder {path}; give rethinkdb://HOST, a dump archive, an export folder or a file."
        )
    if path.is_dir() or not path.name.lower().endswith((".tar.gz", ".tgz")):
        return FilesSource(path)
    return ArchiveSource(path)
