"""Provider, symbol, timeframe and date from the name of a file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

PROVIDERS = (
    "BINANCE", "BITFINEX", "BITMEX", "BITSTAMP", "BYBIT", "COINBASE", "DUKASCOPY", "GEMINI", "HISTDATA", "KRAKEN",
    "KUCOIN", "OANDA", "OKX", "POLYGON", "STOOQ", "YAHOO",
)  # fmt: skip
_TIMEFRAME = re.compile(r"^[1-9]\d*(s|m|h|d|w|min)$")
_METATRADER = re.compile(r"^(M|H|D|W)([1-9]\d*)$")
_WORDS = {
    "ASCII", "CANDLESTICK", "HISTORICAL", "HISTORY", "PRICES", "PRICE", "DAILY", "HOURLY", "MINUTE", "TRADE", "TRADES",
    "QUOTE", "QUOTES", "CLEAN", "EXPORT", "INTRADAY", "STOCK", "STOCKS", "FUTURES", "SPOT", "OHLCV", "SAMPLE",
}  # fmt: skip


def provider_of(name: str) -> str:
    """Provider that a file's name begins with or holds, or empty."""
    upper = [word.upper() for word in words_of(name)]
    if upper[:1] == ["BINANCE"] and {"USDM", "PERPETUAL", "UM", "FUTURES"} & set(upper):
        return "BINANCE-PERPETUAL"
    if upper[:2] == ["DAT", "ASCII"]:
        return "HISTDATA"
    return next((word for word in upper if word in PROVIDERS), "")


def symbol_of(name: str) -> str:
    """Symbol in a file's name, or empty.

    >>> symbol_of("DAT_ASCII_EURUSD_M1_2024.csv"), symbol_of("BTC_USDT-1h.json"), symbol_of("aapl_us_d.csv")
    ('EURUSD', 'BTC/USDT', '')
    """
    freqtrade = re.match(r"^([A-Z0-9]{2,10})_([A-Z]{3,5})(?:_([A-Z]{3,5}))?-\d+[mhdw]", name)
    if freqtrade:
        base, quote, settled = freqtrade.groups()
        return f"{base}/{quote}" + (f":{settled}" if settled else "")
    for word in words_of(name):
        if re.fullmatch(r"[A-Z0-9]{5,14}", word) and not word.isdigit() and word not in {*PROVIDERS, *_WORDS}:
            return word
    return ""


def timeframe_of(name: str) -> str:
    """Timeframe in a file's name, or empty: ``1h``, ``15min``, MetaTrader's ``H4``."""
    for word in words_of(name):
        if _TIMEFRAME.match(word):
            return word.replace("min", "m")
        if match := _METATRADER.match(word):
            return f"{match[2]}{match[1].lower()}"
    return ""


def date_of(name: str) -> date | None:
    """Date in a file's name, as QuantConnect's LEAN has it: ``20240102_trade.zip``."""
    for match in re.finditer(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)", name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
    return None


def words_of(name: str) -> list[str]:
    """Words of a file's name."""
    return [word for word in re.split(r"[_\-., ]+", Path(name).name) if word]
