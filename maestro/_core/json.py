"""Values as JSON: NaN and infinity are null, moments ISO text, NumPy numbers plain ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Set
from datetime import date, time
from typing import Any


def plain(value: Any) -> Any:
    """Return a value made of dictionaries, lists, texts, finite numbers, booleans and None only.

    NaN and infinity become None; dates and times ISO text; arrays and series lists; sets sorted lists; keys text;
    anything else its `str`.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, Set):
        return sorted(map(plain, value), key=str)
    if isinstance(value, (date, time)):
        return value.isoformat()
    for convert in ("tolist", "to_list"):  # NumPy's arrays and numbers, series of polars
        if hasattr(value, convert):
            return plain(getattr(value, convert)())
    return str(value)


def finite(value: Any) -> Any:
    """Return a value read from JSON if all its numbers are finite.

    Raises
    ------
    ValueError
        A number such as ``NaN`` or ``1e999``, at any depth.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        finite(one)
    return value


def dumps(value: Any, *, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Return `plain` of a value as JSON text, which every JSON reader takes."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)


def as_text(value: Any) -> str:
    """Return text as it is and anything else as JSON; for settings in links, parameters and tables."""
    return value if isinstance(value, str) else dumps(value)


def compact(value: Any) -> str:
    """Return `plain` of a value as JSON text without spaces; for addresses."""
    return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
