"""A source by its provider's name, with what is known of its host shared by all that the process opens."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from maestro.data.sources import binance, bitmex
from maestro.data.sources.archive import Archive
from maestro.data.sources.http import Client
from maestro.data.sources.limits import Budget, Clock, Host
from maestro.data.sources.protocol import Source
from maestro.data.sources.settings import SourceSettings
from maestro.errors import SettingsError, nearest

PROVIDERS = (binance.SPOT, binance.PERPETUAL, bitmex.BITMEX)
_HOSTS: dict[tuple[str, str], Host] = {}


@asynccontextmanager
async def open_source(
    provider: str,
    settings: SourceSettings | None = None,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[Source]:
    """Open the exchange of a provider; what is known of its host is shared in the process, unless `clock` is given.

    Raises
    ------
    SettingsError
        An unknown provider.
    """
    settings = settings or SourceSettings.from_env()
    known = {
        binance.SPOT: (settings.binance_url, binance.budgets(binance.SPOT), binance.heard),
        binance.PERPETUAL: (settings.binance_usdm_url, binance.budgets(binance.PERPETUAL), binance.heard),
        bitmex.BITMEX: (settings.bitmex_url, bitmex.budgets(), bitmex.heard),
    }
    if provider not in known:
        raise SettingsError(
            f"no exchange is known for {provider!r}; known: {', '.join(PROVIDERS)}. "
            "Bars from elsewhere come in with: maestro data import FILE" + nearest(provider, PROVIDERS)
        )
    url, budgets, heard = known[provider]
    async with Client(url, _host(url, provider, budgets, settings, clock), settings, heard, rng=rng) as client:
        yield bitmex.Bitmex(client) if provider == bitmex.BITMEX else binance.Binance(provider, client)


@asynccontextmanager
async def open_archive(
    provider: str,
    place: str | Path | None = None,
    settings: SourceSettings | None = None,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[Source]:
    """Open Binance's archive files: a folder, a URL, or (None) the settings' archive URL."""
    settings = settings or SourceSettings.from_env()
    text = str(place or settings.binance_archive_url)
    if not text.startswith(("http://", "https://")):
        yield Archive(provider, Path(text).expanduser())
        return
    host = _host(text, "archive", {}, settings, clock)
    settings = replace(settings, timeout=10 * settings.timeout)  # a month of minutes is some megabytes
    async with Client(text.rstrip("/"), host, settings, lambda headers: {}, rng=rng) as client:
        yield Archive(provider, client)


def _host(url: str, provider: str, budgets: dict[str, Budget], settings: SourceSettings, clock: Clock | None) -> Host:
    """What is known of a host. With a clock of one's own (tests) it is not shared with anyone."""
    name = urlsplit(url).netloc
    if clock is not None:
        return Host(name, budgets, clock=clock, state_dir=settings.state_dir)
    key = (name, provider)
    if key not in _HOSTS:
        _HOSTS[key] = Host(name, budgets, clock=Clock(), state_dir=settings.state_dir)
    return _HOSTS[key]
