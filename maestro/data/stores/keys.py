"""The name of a stored series: provider, symbol, timeframe and kind, validated against injection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maestro.data.timeframes import timeframe_name, timeframe_us
from maestro.errors import BarsError, SettingsError, nearest

SERIES = ("bars", "funding", "open_interest", "basis")
_PROVIDER = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,62}")
_SYMBOL = re.compile(r"(?=.*[A-Z0-9])(?!.*(?:\.\.|  ))[A-Z0-9^.$@][A-Z0-9^._$/:=&!+@ -]{0,62}(?<![. /:])")
_PLAIN = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]|\.(?!\.)){0,62}(?<![.])")
_RULES = {
    "provider": "letters, digits, _ and -, at most 63 characters",
    "symbol": "letters, digits, and _ - . / : ^ = & ! + @ $ inside, at most 63 characters",
}
RAW = "raw"  # stands in file and table names where a series of events has no timeframe


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """Name of a stored series.

    Parameters
    ----------
    provider : str
        Letters, digits, ``_`` and ``-``; small letters become capitals, so that a name means the same on every file
        system and server.
    symbol : str
        As exchanges and vendors write it: ``BTCUSDT``, ``BTC/USDT:USDT``, ``^GSPC``, ``EURUSD=X``, ``M&M.NS``; in
        capitals. In the names of files and tables other signs than letters, digits, ``_``, ``-`` and single dots are
        written as ``@`` and their code.
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
        for part, allowed in (("provider", _PROVIDER), ("symbol", _SYMBOL)):
            given = getattr(self, part)
            name = given.strip().upper() if isinstance(given, str) else ""
            if not allowed.fullmatch(name) or len(_encoded(name)) > 100:
                raise SettingsError(
                    f"{part} {given!r} is not allowed in a series' name; allowed: {_RULES[part]}. Give another one: "
                    f"--{part} NAME."
                )
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
        """Read ``"BITSTAMP:BTCUSD:1h"``, ``"BYBIT:BTC/USDT:USDT:1h"``, ``"BINANCE:BTCUSDT:funding"`` or
        ``"BINANCE:BTCUSDT:open_interest:1h"``: the symbol may hold colons itself.
        """
        provider, *inner = text.strip().split(":")
        if len(inner) > 1 and inner[-1] in SERIES[1:]:
            return cls(provider, ":".join(inner[:-1]), series=inner[-1])
        if len(inner) > 2 and (inner[-2] in SERIES or (inner[-2].islower() and nearest(inner[-2], SERIES))):
            return cls(provider, ":".join(inner[:-2]), inner[-1], inner[-2])
        if len(inner) > 1:
            return cls(provider, ":".join(inner[:-1]), inner[-1])
        raise SettingsError(
            f"{text!r} does not name a series; give PROVIDER:SYMBOL:TIMEFRAME like BITSTAMP:BTCUSD:1h, or "
            "PROVIDER:SYMBOL:funding."
        )

    def __str__(self) -> str:
        own = () if self.series == "bars" else (self.series,)
        return ":".join((self.provider, self.symbol, *own, *((self.timeframe,) if self.timeframe else ())))

    @property
    def path(self) -> tuple[str, str, str, str]:
        """Parts of a folder or table name: series, provider, symbol, timeframe (``"raw"`` where there is none)."""
        return self.series, self.provider, _encoded(self.symbol), self.timeframe or RAW

    @classmethod
    def from_path(cls, parts: tuple[str, ...]) -> SeriesKey | None:
        """Key of the parts of `path`; None where they are not the path of any key."""
        if len(parts) != 4:
            return None
        series, provider, symbol, timeframe = parts
        try:
            key = cls(provider, _decoded(symbol), "" if timeframe == RAW else timeframe, series)
        except SettingsError:
            return None
        return key if key.path == parts else None


def _encoded(symbol: str) -> str:
    """A symbol in the name of a file or table: signs that these may not have become ``@`` and two digits.

    >>> _encoded("BTC/USDT:USDT"), _encoded("BRK.B"), _encoded("^GSPC")
    ('BTC@2FUSDT@3AUSDT', 'BRK.B', '@5EGSPC')
    """
    if _PLAIN.fullmatch(symbol):
        return symbol
    pieces = []
    for place, sign in enumerate(symbol):
        dotted = sign == "." and 0 < place < len(symbol) - 1 and symbol[place - 1] != "."
        inside = sign in "_-" and place > 0
        plain = (sign.isascii() and sign.isalnum()) or inside or dotted
        pieces.append(sign if plain else f"@{ord(sign):02X}")
    return "".join(pieces)


def _decoded(text: str) -> str:
    return re.sub(r"@([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), text)
