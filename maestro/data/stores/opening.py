"""The configured store, or one that is named: a folder of Parquet files or a QuestDB server behind a cache."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from maestro.config import Settings, load_settings
from maestro.data.stores.cache import CachedStore
from maestro.data.stores.parquet import ParquetStore
from maestro.data.stores.protocol import Store
from maestro.data.stores.questdb import QuestDBStore
from maestro.data.stores.recent import RecentStore
from maestro.errors import SettingsError

_last: tuple[Settings, Store] | None = None


def open_store(
    target: str | os.PathLike[str] | None = None, settings: Settings | None = None, *, cached: bool = True
) -> Store:
    """Open a store.

    Parameters
    ----------
    target : str or path, optional
        A folder (``parquet:FOLDER`` says the same), ``parquet`` for the built-in folder, ``questdb`` for the
        configured server, ``questdb://[USER:PASSWORD@]HOST[:PORT]`` or ``questdbs://…`` for another one; the setting
        ``store`` where it is not given.
    settings : Settings, optional
        Those in force in the working directory where they are not given.
    cached : bool
        Keep rows of a server in the Parquet cache (if that is enabled), and the last ranges in memory.

    Raises
    ------
    SettingsError
        No such kind of store.
    """
    settings = load_settings() if settings is None else settings
    text = str(settings.store if target is None else target).strip()
    scheme = match[1] if (match := re.match(r"([a-z]+)(?::|$)", text)) else ""
    if scheme in ("questdb", "questdbs"):
        store: Store = _server(text, settings)
        if cached and settings.cache.enabled:
            store = CachedStore(store, settings.cache.path, max_age=settings.cache.max_age)
    elif "://" in text:
        raise SettingsError(f"store {text!r} is of no known kind; give a folder, questdb, or questdb://HOST:PORT.")
    else:
        folder = text.removeprefix("parquet:") if text != "parquet" else Settings().store
        if not folder:
            raise SettingsError("the store has no name; give a folder, questdb, or questdb://HOST:PORT.")
        store = ParquetStore(Path(folder).expanduser())
    return RecentStore(store, max_bytes=settings.cache.memory) if cached else store


def configured_store() -> Store:
    """The store that the settings in force name; the same object while they stay the same, with what it remembers."""
    global _last
    settings = load_settings()
    if _last is None or _last[0] != settings:
        if _last is not None:
            _last[1].close()
        _last = settings, open_store(None, settings)
    return _last[1]


def _server(text: str, settings: Settings) -> QuestDBStore:
    own = settings.servers.questdb
    url, user, password = own.url, own.user, own.password
    if "://" in text:
        parts = urlsplit(text)
        if parts.path not in ("", "/") or not parts.hostname:
            raise SettingsError(f"store {text.rsplit('@', 1)[-1]!r} is not understood; give questdb://HOST:PORT.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        url = f"{'https' if parts.scheme == 'questdbs' else 'http'}://{host}:{parts.port or 9000}"
        if parts.username:
            user, password = unquote(parts.username), unquote(parts.password or "")
    elif text != "questdb":
        raise SettingsError(f"store {text!r} is not understood; give questdb, or questdb://HOST:PORT.")
    return QuestDBStore(url, user=user, password=password, timeout=own.timeout)
