"""Update several series of a provider at once, from ordinary code or a notebook cell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from maestro.config import Settings, load_settings
from maestro.data.outages import Outages
from maestro.data.sources.archive import open_archive
from maestro.data.sources.limits import Clock
from maestro.data.sources.protocol import ChecksSymbols
from maestro.data.sources.registry import is_fetched, open_source
from maestro.data.stores import SeriesKey, Store
from maestro.data.sync import Progress, SyncResult, sync
from maestro.errors import MaestroError, SettingsError

T = TypeVar("T")
_AT_ONCE = 8  # series under way; their requests wait for the host's turn


def fetch(
    store: Store,
    keys: Iterable[SeriesKey],
    start: int | None,
    end: int | None = None,
    *,
    archive: str | Path | None = None,
    refresh: bool = False,
    settings: Settings | None = None,
    clock: Clock | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> list[SyncResult]:
    """Update series of one provider; `maestro.data.sync.sync` documents the guarantees.

    Works inside a running event loop too (a notebook). Ctrl-C stores the received rows and stops.

    Parameters
    ----------
    keys : series of one provider, several of them fetched at a time within its rate limit
    start, end : int [µs], from `start` (None: the first stored) up to, but excluding, `end` (None: all closed bars)
    archive : str or Path, optional
        A folder or URL of the exchange's archive files to read instead of its API; ``""`` is the URL in the settings.
    refresh : bool
        Request everything again, and replace rows that the exchange has revised.

    Returns
    -------
    list of SyncResult
        In the order of `keys`; one that failed has its reason in `error` and does not affect the others.

    Raises
    ------
    SettingsError
        An unknown provider, keys of several providers, or a series or timeframe that it does not have.
    """
    keys = list(keys)
    settings = settings or load_settings()
    outages = Outages.of(store, settings.state_dir)
    providers = {key.provider for key in keys}
    if len(providers) != 1:
        raise SettingsError(f"give series of one provider at a time, not of {', '.join(sorted(providers)) or 'none'}.")
    opened = (
        open_source(providers.pop(), settings, clock=clock)
        if archive is None
        else open_archive(providers.pop(), archive or None, settings, clock=clock)
    )

    async def all_of_them() -> list[SyncResult]:
        turn, room = asyncio.Lock(), asyncio.Semaphore(_AT_ONCE)
        async with opened as source:
            for key in keys:
                source.step_us(key.series, key.timeframe)
                if isinstance(source, ChecksSymbols):
                    source.check_symbol(key.symbol)

            async def one(key: SeriesKey) -> SyncResult:
                async with room:
                    return await sync(
                        store, source, key, start, end,
                        outages=outages, refresh=refresh, clock=clock, progress=progress, turn=turn,
                    )  # fmt: skip

            return list(await asyncio.gather(*map(one, keys)))

    return _run(all_of_them())


def fetch_all(
    store: Store,
    *,
    refresh: bool = False,
    settings: Settings | None = None,
    clock: Clock | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[list[SyncResult], list[SeriesKey]]:
    """Update every stored series that has a source, from its first row on.

    An error of one series or provider is in the results of its series and does not affect the others.

    Returns
    -------
    The results, sorted by key, and the keys of the series that no source has: they were imported from files.
    """
    keys = [info.key for info in store.series()]
    fetched = [key for key in keys if is_fetched(key)]
    options: dict[str, Any] = {"refresh": refresh, "settings": settings, "clock": clock, "progress": progress}
    results: list[SyncResult] = []
    for provider in sorted({key.provider for key in fetched}):
        own = [key for key in fetched if key.provider == provider]
        try:
            results += fetch(store, own, None, **options)
        except MaestroError:  # of one key, or of the provider
            for key in own:
                try:
                    results += fetch(store, [key], None, **options)
                except MaestroError as error:
                    results.append(SyncResult(key, error=str(error)))
    return sorted(results, key=lambda result: result.key), [key for key in keys if key not in set(fetched)]


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where this one has a running loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="maestro-fetch")
    thread.start()
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return future.result()
    finally:  # also on Ctrl-C: what has come is stored before the thread ends
        future.cancel()
        asyncio.run_coroutine_threadsafe(_others_done(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _others_done() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
