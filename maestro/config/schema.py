"""What a setting is: its dotted name, type, bounds and description, told from the classes that hold the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from maestro.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Doc:
    """What stands beside the type of a setting; numbers are at least `low` and below `high`."""

    text: str
    unit: Literal["", "time", "size"] = ""
    low: float | None = None
    high: float | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: its type, whether it may be empty, and its description."""

    kind: type
    optional: bool
    doc: Doc

    @property
    def wanted(self) -> str:
        """What may be given, in words."""
        return _WANTED[self.doc.unit or self.kind.__name__]


def entries(owner: Any, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Dotted name and entry of every setting of a class, and of the classes inside it."""
    hints = get_type_hints(owner, include_extras=True)
    for own in fields(owner):
        hint = hints[own.name]
        if is_dataclass(hint):
            yield from entries(hint, f"{prefix}{own.name}.")
        elif get_origin(hint) is Annotated:
            kind, doc = get_args(hint)
            kinds = [part for part in get_args(kind) if part is not type(None)]
            yield f"{prefix}{own.name}", Entry(kinds[0] if kinds else kind, bool(kinds), doc)


def read_value(name: str, entry: Entry, raw: Any, where: str, folder: Path) -> Any:
    """Value of a setting from what a file or the environment says; paths are relative to `folder`.

    Raises
    ------
    SettingsError
        It is of the wrong type or out of bounds; the message says what is wanted.
    """
    if entry.optional and (raw is None or str(raw).strip().lower() in ("never", "none", "")):
        return None
    try:
        value = _convert(entry, raw, folder)
    except (ValueError, TypeError, KeyError):
        raise SettingsError(f"{where}: {name} is {raw!r}; give {entry.wanted}.") from None
    low, high = entry.doc.low, entry.doc.high
    if (low is not None and value < low) or (high is not None and value >= high):
        upper = f" and below {high:g}" if high is not None else ""
        raise SettingsError(f"{where}: {name} is {raw!r}; give a number of at least {low:g}{upper}.")
    return value


_WANTED = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "Path": "a path",
    "time": "seconds, or a time such as 90s, 15m, 1h or 7d",
    "size": "bytes, or a size such as 256MB or 2GB",
}
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "time": {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800},
    "size": {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30},
}


def _convert(entry: Entry, raw: Any, folder: Path) -> Any:
    if not isinstance(raw, (str, int, float, bool)) or (isinstance(raw, bool) and entry.kind is not bool):
        raise TypeError
    text = str(raw).strip()
    if entry.doc.unit:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
        if match is None:
            raise ValueError
        return entry.kind(float(match[1]) * _UNITS[entry.doc.unit][match[2].lower()])
    if entry.kind is bool:
        return _TRUTHS[text.lower()]
    if entry.kind is Path:
        return folder / Path(text).expanduser()
    if entry.kind is float and float(text) - float(text) != 0.0:
        raise ValueError  # NaN or infinite
    return entry.kind(text)
