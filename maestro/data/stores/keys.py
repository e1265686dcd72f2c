"""The name of a stored series: provider, symbol, timeframe and kind, checked so that nothing can be injected."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maestro.data.timeframes import timeframe_name, timeframe_us
from maestro.errors import BarsError, SettingsError, nearest

SERIES = ("bars", "funding", "open_interest", "basis")
_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]|\.(?!\.)){0,62}(?<![.])")
_RULE = "letters, digits, and _ - . inside, at most 63 characters"
RAW = "raw"  # stands in file and table names where a series of events has no timeframe


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Name of a stored series.

    Parameters
    ----------
    provider, symbol : str
        Letters, digits, ``_``, ``-`` (in a symbol also single dots inside); small letters become capitals, so that
        a name means the same on every file system and server.
    timeframe : str
        ``"1h"``; equal lengths have one name (``"60m"`` is ``"1h"``). May be empty for anything but bars:
        settlements and other events have none.
    series : {"bars", "funding", "open_interest", "basis"}

    Raises
    ------
    SettingsError
        A part that is not allowed; the message says which and what is.
    """

    provider: str
    symbol: str
    timeframe: str = ""
    series: str = "bars"

    def __post_init__(self) -> None:
        for part in ("provider", "symbol"):
            given = getattr(self, part)
            name = given.strip().upper() if isinstance(given, str) else ""
            if not _NAME.fullmatch(name) or (part == "provider" and "." in name):
                raise SettingsError(f"{part} {given!r} is not allowed in a series' name; allowed: {_RULE}.")
            object.__setattr__(self, part, name)
        if self.series not in SERIES:
            raise SettingsError(
                f"series {self.series!r} is unknown; known: {', '.join(SERIES)}.{nearest(str(self.series), SERIES)}"
            )
        if self.timeframe or self.series == "bars":
            try:
                object.__setattr__(self, "timeframe", timeframe_name(timeframe_us(self.timeframe)))
            except BarsError as error:
                raise SettingsError(f"{self.provider}:{self.symbol}: {error}") from None

    @classmethod
    def parse(cls, text: str) -> SeriesKey:
        """Read ``"BITSTAMP:BTCUSD:1h"``, ``"BINANCE:BTCUSDT:funding"`` or ``"BINANCE:BTCUSDT:open_interest:1h"``."""
        parts = text.strip().split(":")
        if len(parts) == 3 and parts[2] in SERIES[1:]:
            return cls(parts[0], parts[1], series=parts[2])
        if len(parts) == 3:
            return cls(*parts)
        if len(parts) == 4:
            return cls(parts[0], parts[1], parts[3], parts[2])
        raise SettingsError(
            f"{text!r} names no series; give PROVIDER:SYMBOL:timeframe like BITSTAMP:BTCUSD:1h, or "
            "PROVIDER:SYMBOL:funding."
        )

    def __str__(self) -> str:
        own = () if self.series == "bars" else (self.series,)
        return ":".join((self.provider, self.symbol, *own, *((self.timeframe,) if self.timeframe else ())))

    @property
    def path(self) -> tuple[str, str, str, str]:
        """Parts of a folder or table name: series, provider, symbol, timeframe (``"raw"`` where there is none)."""
        return self.series, self.provider, self.symbol, self.timeframe or RAW

    @classmethod
    def from_path(cls, parts: tuple[str, ...]) -> SeriesKey | None:
        """Key of the parts of `path`; None where they are not the path of any key."""
        if len(parts) != 4:
            return None
        series, provider, symbol, timeframe = parts
        try:
            key = cls(provider, symbol, "" if timeframe == RAW else timeframe, series)
        except SettingsError:
            return None
        return key if key.path == parts else None
