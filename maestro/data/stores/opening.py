"""Stores by name: the configured one, a folder of Parquet files, a server behind a cache, or that of a plug-in."""

from __future__ import annotations

import os
import re
import threading

from maestro._core.registry import Registry
from maestro.config import Settings, load_settings
from maestro.data.stores.cache import CachedStore
from maestro.data.stores.protocol import Store, StoreKind
from maestro.data.stores.recent import RecentStore
from maestro.errors import SettingsError

STORES: Registry[StoreKind] = Registry(
    "maestro.stores",
    "store",
    {
        "parquet": "maestro.data.stores.parquet:KIND",
        "questdb": "maestro.data.stores.questdb:KIND",
        "questdbs": "maestro.data.stores.questdb:KIND",
        "rethinkdb": "maestro.data.legacy.store:KIND",
    },
    lambda value: isinstance(value, StoreKind),
    "a maestro.data.stores.StoreKind",
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)(?::|$)")  # two letters or more: C:\ is a folder

_last: tuple[Settings, Store] | None = None
_opening = threading.Lock()  # of several threads the first opens the store


def open_store(
    target: str | os.PathLike[str] | None = None, settings: Settings | None = None, *, cached: bool = True
) -> Store:
    """Open a store.

    Parameters
    ----------
    target : str or path, optional
        A folder (``parquet:FOLDER`` is the same), ``parquet`` for the built-in folder, ``questdb`` for the configured
        server, ``questdb://[USER:PASSWORD@]HOST[:PORT]`` or ``questdbs://…`` for another one, ``NAME:…`` for the store
        of a plug-in; by default the setting ``store``.
    settings : Settings, optional
        Those in force in the working directory by default.
    cached : bool
        Keep rows of a server in the Parquet cache (if that is enabled), and the last ranges in memory.

    Raises
    ------
    SettingsError
        There is no such kind of store, or its name is not understood.
    PluginError
        The plug-in that has it cannot be imported.
    """
    settings = load_settings() if settings is None else settings
    text = str(settings.store if target is None else target).strip()
    match = _SCHEME.match(text)
    scheme = match[1] if match is not None else ""
    if scheme in STORES.builtin or (match is not None and ":" in text):
        kind = STORES.get(scheme, SettingsError, f" In {text.rsplit('@', 1)[-1]!r} give one of them, or a folder.")
    else:
        kind = STORES.get("parquet")
    store = kind.open(text, settings)
    if cached and kind.remote and settings.cache.enabled:
        store = CachedStore(store, settings.cache.path, max_age=settings.cache.max_age)
    return RecentStore(store, max_bytes=settings.cache.memory) if cached else store


def configured_store() -> Store:
    """Return the configured store; the same object while the settings do not change."""
    global _last
    settings = load_settings()
    with _opening:
        if _last is None or _last[0] != settings:
            if _last is not None:
                _last[1].close()
            _last = settings, open_store(None, settings)
        return _last[1]
