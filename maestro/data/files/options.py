"""Options for reading a file or a frame, named for Python and for the shell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from maestro.data.sources.protocol import COLUMNS
from maestro.errors import SettingsError, nearest

_ALLOWED = {
    "series": tuple(COLUMNS),
    "stamps": ("open", "close"),
    "duplicates": ("refuse", "first", "last"),
    "decimal": ("", ".", ","),
}


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options that a user gives for a file or a frame; the rest is inferred.

    Attributes
    ----------
    provider, symbol, timeframe : str
        Names of the series; `symbol` also chooses one of several symbols in the file.
    series : {"bars", "funding", "open_interest", "basis"}
    columns : mapping
        From ``timestamp``, ``time`` (a time of day in its own column), ``open``, … to the file's names, or for the
        volume to a number that stands for all rows. In a file without a header the names are ``"1"``, ``"2"``, ….
    unit : str
        Of the stamps: ``s``, ``ms``, ``us``, ``ns``, ``excel``, or a date format such as ``%d/%m/%Y %H:%M``.
    zone : str
        Time zone of stamps that name none (``America/New_York``); UTC where it is empty. Stamps of daily and longer
        bars keep the calendar date of this zone.
    stamps : {"open", "close"}
        Which end of the bar the stamps are.
    duplicates : {"refuse", "first", "last"}
        Which of several rows with one stamp counts; rows that are equal in everything are one.
    decimal : {"", ".", ","}
        Decimal sign of numbers written as text; inferred where it is empty.
    """

    provider: str = ""
    symbol: str = ""
    timeframe: str = ""
    series: str = "bars"
    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    zone: str = ""
    stamps: str = "open"
    duplicates: str = "refuse"
    decimal: str = ""

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value not in allowed:
                known = [one if one.isalpha() else repr(one) for one in allowed if one]
                raise SettingsError(
                    f"{name}={value!r} (--{name}) is unknown; give {', '.join(known)}.{nearest(str(value), known)}"
                )
        if not isinstance(self.columns, Mapping) or not all(isinstance(name, str) for name in self.columns):
            raise SettingsError(
                f"columns={self.columns!r} is not a mapping of names; give {say('columns', volume='NAME')}."
            )
        object.__setattr__(self, "columns", {name: str(column) for name, column in self.columns.items()})
        if self.zone:
            _check_zone(self.zone)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ReadOptions:
        """Options of keywords; those that are None count as not given."""
        known = [one.name for one in fields(cls)]
        for name in given:
            if name not in known:
                raise SettingsError(f"there is no option {name!r}; there are {', '.join(known)}.{nearest(name, known)}")
        return cls(**{name: value for name, value in given.items() if value is not None})


def say(option: str, value: str = "", **columns: str) -> str:
    """Name an option in both spellings, for a message.

    >>> say("unit", "ms")
    "unit='ms' (--unit ms)"
    >>> say("columns", volume="Volume BTC")
    "columns={'volume': 'Volume BTC'} (--column 'volume=Volume BTC')"
    """
    if columns:
        pairs = [f"{name}={column}" for name, column in columns.items()]
        flags = " ".join(f"--column {_quoted(pair)}" for pair in pairs)
        return f"columns={columns!r} ({flags})"
    return f"{option}={value!r} (--{option} {_quoted(value)})"


def _quoted(text: str) -> str:
    if text.replace("…", "").isascii() and not any(sign in text for sign in " '\"$%&|;<>()*?!#\\^~`"):
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SettingsError(
            f"zone={name!r} (--zone) is not a known time zone; give a name such as America/New_York, Europe/Berlin "
            f"or UTC.{nearest(name, available_timezones())}"
        ) from None
