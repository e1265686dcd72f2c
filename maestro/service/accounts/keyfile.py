"""The service's signing keys, in a file that only its owner can read; generated if missing, never a default."""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path

from maestro._core.atomic import replacing
from maestro._core.locks import locked
from maestro.errors import AccessError

FILE = "service.key"


def read_or_make_keys(folder: Path) -> dict[str, str]:
    """Return the signing keys by their ids; the first one signs, all of them verify.

    To rotate, put a new key first and keep the old one for eight hours.

    Raises
    ------
    AccessError
        Others may read the file, it holds no usable key, or it cannot be read or made.
    """
    path = folder / FILE
    if not path.exists():
        try:
            with locked(
                folder / f".{FILE}.lock", lambda who: AccessError(f"{path} is being made by {who}."), wait=10.0
            ):
                if not path.exists():
                    _make(path)
        except OSError as error:
            raise AccessError(f"{path} cannot be made: {error.strerror}; give another folder.") from error
    return _read(path)


def _make(path: Path) -> None:
    keys = {secrets.token_hex(4): secrets.token_hex(32)}
    with replacing(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(keys, file)


def _read(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
        keys = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise AccessError(f"{path} cannot be read ({error}); remove it, and a new one is made.") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise AccessError(f"{path} can be read by others than its user; run chmod 600 {path}, or remove it.")
    if not isinstance(keys, dict) or not keys or any(not isinstance(k, str) or len(k) < 64 for k in keys.values()):
        raise AccessError(f"{path} holds no key of at least 64 hex digits; remove it, and a new one is made.")
    return keys
