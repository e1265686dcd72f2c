"""The schema of settings: dotted name, type, bounds, default and description, from the dataclasses of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from maestro.errors import SettingsError

Unit = Literal["", "time", "size", "url", "store"]


@dataclass(frozen=True, slots=True)
class Doc:
    """Description and bounds of a setting, next to its type.

    Attributes
    ----------
    text : str
    unit : {"", "time", "size", "url", "store"}
        How text is read: seconds, bytes, an address, or the name of a store.
    low, high : float, optional
        A number is at least `low` and below `high`.
    secret : bool
        Never shown, and accepted from the environment only.
    empty : str
        What None means, ``all cores`` for instance; the same words may be given for it.
    """

    text: str
    unit: Unit = ""
    low: float | None = None
    high: float | None = None
    secret: bool = False
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: its type, whether it may be None, its description and its default."""

    kind: type
    optional: bool
    doc: Doc
    default: Any

    @property
    def wanted(self) -> str:
        """The allowed values, in words."""
        return _WANTED[self.doc.unit or self.kind.__name__]

    def show(self, value: Any) -> str:
        """Return a value as text that `read_value` takes; empty where there is none."""
        if value is None:
            return self.doc.empty
        if isinstance(value, bool):
            return "yes" if value else "no"
        if self.doc.unit in ("time", "size"):
            units = reversed([(unit, size) for unit, size in _UNITS[self.doc.unit].items() if unit])
            unit, size = next(((u, s) for u, s in units if value and value % s == 0), ("", 1.0))
            return f"{value / size:g}{unit.upper() if self.doc.unit == 'size' else unit}"
        return f"{value:g}" if isinstance(value, float) else str(value)


def entries(owner: Any, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Yield the dotted name and entry of every setting of a class, and of the classes inside it."""
    hints = get_type_hints(owner, include_extras=True)
    for own in fields(owner):
        hint = hints[own.name]
        if is_dataclass(hint):
            yield from entries(hint, f"{prefix}{own.name}.")
        elif get_origin(hint) is Annotated:
            kind, doc = get_args(hint)
            kinds = [part for part in get_args(kind) if part is not type(None)]
            yield f"{prefix}{own.name}", Entry(kinds[0] if kinds else kind, bool(kinds), doc, own.default)


def read_value(name: str, entry: Entry, raw: Any, where: str, folder: Path) -> Any:
    """Return the value of a setting from what a file or the environment says; paths are relative to `folder`.

    Raises
    ------
    SettingsError
        It is of the wrong type or out of bounds; the message says what is allowed.
    """
    nothing = ("never", "none", "", entry.doc.empty)
    if entry.optional and (raw is None or str(raw).strip().lower() in nothing):
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
    "url": "a URL that begins with http:// or https://",
    "store": "a folder, questdb, or questdb://HOST:PORT",
}
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "time": {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800},
    "size": {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30},
}
_STORE = re.compile(r"[a-z][a-z0-9+.-]+:|questdb$|parquet$")  # a scheme of two letters or more: C:\ is a folder


def _convert(entry: Entry, raw: Any, folder: Path) -> Any:
    if not isinstance(raw, (str, int, float, bool, Path)) or (isinstance(raw, bool) and entry.kind is not bool):
        raise TypeError
    text, unit = str(raw).strip(), entry.doc.unit
    if unit in _UNITS:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
        if match is None:
            raise ValueError
        return entry.kind(float(match[1]) * _UNITS[unit][match[2].lower()])
    if unit == "url":
        if not re.match(r"https?://.", text):
            raise ValueError
        return text.rstrip("/")
    if unit == "store":
        text = text.removeprefix("parquet:")
        return text if _STORE.match(text) or not text else str(folder / Path(text).expanduser())
    if entry.kind is bool:
        return _TRUTHS[text.lower()]
    if entry.kind is Path:
        return folder / Path(text).expanduser()
    if entry.kind is float and float(text) - float(text) != 0.0:
        raise ValueError  # NaN or infinite
    return entry.kind(text)
