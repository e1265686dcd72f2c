"""The series of an old table ``trade_PROVIDER_SYMBOL_TIMEFRAME``."""

from __future__ import annotations

import re

from maestro.data.stores.keys import SeriesKey
from maestro.errors import SettingsError

PREFIX = "trade_"
_TABLE = re.compile(r"trade_([^_]+)_(.+)_([1-9]\d*)([A-Za-z]+)")
_UNITS = {
    "s": "s", "sec": "s", "m": "m", "min": "m", "h": "h", "hour": "h", "d": "d", "day": "d", "w": "w", "week": "w",
}  # fmt: skip


def series_of(table: str, given: str | None = None) -> SeriesKey:
    """Key of an old table.

    The first word after ``trade_`` is the provider, the last the timeframe, and everything between the symbol, with
    its underscores: ``trade_BINANCE_BTC_USDT_1h`` is ``BINANCE:BTC_USDT:1h``. Hours, days and weeks may be written
    with capitals (``1H``); ``1M`` is refused, it may be a month.

    Parameters
    ----------
    table : str
    given : str, optional
        ``PROVIDER:SYMBOL:TIMEFRAME`` for a table whose name does not say it.

    Raises
    ------
    SettingsError
        The name does not say which series it is.
    """
    if given is not None:
        key = SeriesKey.parse(given)
        if key.series != "bars":
            raise SettingsError(f"{given} is not a series of bars; give PROVIDER:SYMBOL:TIMEFRAME for {table}.")
        return key
    match = _TABLE.fullmatch(table)
    unit = "" if match is None else _UNITS.get(match[4] if match[4] == "M" else match[4].lower(), "")
    if match is None or not unit:
        raise SettingsError(
            f"table {table!r} does not say its series as trade_PROVIDER_SYMBOL_TIMEFRAME (1m, 4h, 1d, 1w); "
            f"say it with --table {table}=PROVIDER:SYMBOL:TIMEFRAME."
        )
    try:
        return SeriesKey(match[1], match[2], f"{match[3]}{unit}")
    except SettingsError as error:
        raise SettingsError(f"table {table!r}: {error} Say it with --table {table}=PROVIDER:SYMBOL:1h.") from None
