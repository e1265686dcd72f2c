"""Sources by their provider's name: the built-in exchanges, and those of plug-ins (``maestro.sources``).

A source is registered as a function that takes a `Context` and returns an async context manager which yields the
`Source`.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from maestro._core.registry import Registry
from maestro.config import Settings, load_settings
from maestro.data.sources.context import Context
from maestro.data.sources.limits import Clock
from maestro.data.sources.protocol import Source
from maestro.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from maestro.data.stores import SeriesKey

OpenSource: TypeAlias = Callable[[Context], AbstractAsyncContextManager[Source]]

SOURCES: Registry[OpenSource] = Registry(
    "maestro.sources",
    "source",
    {
        "BINANCE": "maestro.data.sources.binance:open_binance",
        "BINANCE-PERPETUAL": "maestro.data.sources.binance:open_binance",
        "BITMEX": "maestro.data.sources.bitmex:open_bitmex",
    },
    callable,
    "a function that takes a maestro.data.sources.context.Context and returns an async context manager",
)


@asynccontextmanager
async def open_source(
    provider: str,
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[Source]:
    """Open the source of a provider.

    Parameters
    ----------
    provider : str
        Name of a built-in source or of a plug-in's, in capitals.
    settings : Settings, optional
        Those in force in the working directory by default.
    clock : Clock, optional
        With one, what is known of the host (budgets, bans) is not shared with other sources of this process.

    Raises
    ------
    SettingsError
        An unknown provider.
    PluginError
        The plug-in cannot be imported.
    """
    opener = _opener(provider)
    async with opener(Context(provider, settings or load_settings(), clock, rng)) as source:
        yield source


def is_fetched(key: SeriesKey) -> bool:
    """Whether a source has the series: its provider is a source, or an exchange of ccxt whose symbols it has.

    Series of other providers were imported from files. ccxt writes symbols with a slash (``BTC/USDT``); a series
    without one was imported too, even if ccxt has an exchange of that name.
    """
    if key.provider in SOURCES:
        return True
    if "/" not in key.symbol:
        return False
    from maestro.data.sources.ccxt import exchange_of  # ccxt takes a second to import

    try:
        return bool(exchange_of(key.provider))
    except MissingExtraError:
        return False


def _opener(provider: str) -> OpenSource:
    """A registered source, or an exchange of ccxt."""
    if provider in SOURCES:
        return SOURCES.get(provider)
    from maestro.data.sources.ccxt import PREFIX, exchange_of, open_ccxt  # ccxt takes a second to import

    hint = " Bars from elsewhere are imported: maestro data import FILE."
    try:
        if exchange_of(provider) or provider.startswith(PREFIX):
            return open_ccxt
    except MissingExtraError:
        if provider.startswith(PREFIX):
            raise
        hint = ' The exchanges of ccxt come with pip install "maestro-research[ccxt]".' + hint
    return SOURCES.get(provider, SettingsError, hint)
