"""The ledger that a trial belongs to: by market and timeframe, and by user."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from maestro.bars import Bars
from maestro.config import load_settings
from maestro.errors import SettingsError
from maestro.runs.spec import BarsSpec

_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]|\.(?!\.))*")


def series_of(given: Bars | str) -> str:
    """Name of the series: ``PROVIDER:SYMBOL:timeframe``, capitals but for the timeframe.

    More bars of a market are the same series, and so are those of another file, as long as they have its name. Bars
    without provider and symbol have only their content to be known by: ``UNNAMED:<fingerprint>:timeframe``.

    Raises
    ------
    SettingsError
        A text that names no series.
    """
    if isinstance(given, Bars):
        provider, symbol, timeframe = given.provider.upper(), given.symbol.upper(), given.timeframe
        if not provider and not symbol:
            provider, symbol = "UNNAMED", given.fingerprint[:16].upper()
        return f"{provider}:{symbol}:{timeframe}"
    parts = given.strip().rsplit(":", 1) if isinstance(given, str) else []
    if len(parts) != 2 or ":" not in parts[0] or not parts[1]:
        raise SettingsError(
            f"{given!r} names no series; give bars, or PROVIDER:SYMBOL:timeframe like BITSTAMP:BTCUSD:1h."
        )
    return f"{parts[0].upper()}:{parts[1]}"


def recorded_series(bars: BarsSpec) -> str:
    """Return the name of a run's series from the specification, as `series_of` does from the bars themselves."""
    provider, symbol = bars.provider, bars.symbol
    if not provider and not symbol:
        provider, symbol = "UNNAMED", bars.fingerprint[:16].upper()
    return f"{provider}:{symbol}:{bars.timeframe}"


def file_name(series: str) -> str:
    """Name of a series' file, safe on every file system; a hash distinguishes odd names."""
    parts = series.split(":")
    safe = "_".join(re.sub(r"[^A-Za-z0-9.-]", "-", part).lstrip(".") or "-" for part in parts)[:96]
    plain = len(parts) == 3 and all(_NAME.fullmatch(part.upper()) and "_" not in part for part in parts)
    mark = "" if plain and len(series) <= 96 else f"_{hashlib.sha256(series.encode()).hexdigest()[:8]}"
    return f"{safe}{mark}.ledger"


_MARKED = re.compile(r"(?!\.)[A-Za-z0-9._-]*\+[0-9a-f]{8}")
_owner: ContextVar[str] = ContextVar("owner", default="")


@contextmanager
def owned_by(name: str) -> Iterator[None]:
    """Enter the trials inside in the ledgers of this user, for whom they are made."""
    before = _owner.set(_safe(name))
    try:
        yield
    finally:
        _owner.reset(before)


def user() -> str:
    """Name of the user whose ledgers these are; in a container without names, the number."""
    if _owner.get():
        return _owner.get()
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user is known to the system
        name = f"uid-{os.getuid()}" if hasattr(os, "getuid") else "user"  # Windows has no numbers
    return _safe(name)


def _safe(name: str) -> str:
    """Name of a user's folder, safe on every file system: the name itself, or with a hash if it had to be changed.

    A folder's own name stays as it is. No two names have one folder.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".")
    if safe == name != "" or _MARKED.fullmatch(name):
        return name
    return f"{safe}+{hashlib.sha256(name.encode()).hexdigest()[:8]}" if name else "user"


def folder(whose: str = "") -> Path:
    """Folder of a user's ledgers, of the current user if none is given: in ``ledger_dir``, a folder for each user."""
    return load_settings().ledger_dir / (_safe(whose) if whose else user())
