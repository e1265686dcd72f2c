"""Update a store from a source: only missing rows are fetched, and an interrupted sync can be continued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import polars as pl

from maestro._core.formatting import minute
from maestro.data.outages import Outages, Span, join, without
from maestro.data.sources.limits import Clock
from maestro.data.sources.protocol import Page, Source, align_up
from maestro.data.stores import SeriesKey, Store
from maestro.data.timeframes import timeframe_us
from maestro.errors import MaestroError, SettingsError
from maestro.typing import IntArray

T = TypeVar("T")
FLUSH_ROWS, FLUSH_SECONDS = 20_000, 5.0  # received rows are stored when there are so many, or after so long
_AT_ONCE = 8  # series under way; the requests among them wait for the host's turn
_TOGETHER = 1_000  # holes within so many rows are asked for in one request
_SHORTEST_FUNDING = timeframe_us("1h")
_MS = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of one series: number of missing rows that are done."""

    key: SeriesKey
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Result of the sync of one series.

    Attributes
    ----------
    received : int, rows received
    added, changed : int, new rows, and rows that the source has revised since they were stored
    gaps : tuple of (start, end) [µs], gaps of the exchange itself in the requested period
    notes : tuple of str, data that was left out, with reasons
    error : str, why it ended early; empty if it is complete
    """

    key: SeriesKey
    received: int = 0
    added: int = 0
    changed: int = 0
    gaps: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""


def missing(stamps: IntArray, start: int, end: int, step: int, *, grid: bool) -> list[Span]:
    """Stretches [µs) from `start` up to `end` without a row, given the existing timestamps.

    On a grid a single absent row counts; settlements, at a distance of at most `step`, count from one and a half on.
    """
    if end <= start:
        return []
    if not len(stamps):
        return [(start, end)]
    advance = step if grid else _MS
    spans = [(start, int(stamps[0]))] if stamps[0] - start >= step else []
    wide = np.flatnonzero(np.diff(stamps) * 2 > 3 * step)
    spans += [(int(stamps[row]) + advance, int(stamps[row + 1])) for row in wide]
    after = int(stamps[-1]) + (step if grid else _SHORTEST_FUNDING)
    return [*spans, (int(stamps[-1]) + advance, end)] if after < end else spans


async def sync(
    store: Store,
    source: Source,
    key: SeriesKey,
    start: int | None,
    end: int | None = None,
    *,
    outages: Outages,
    refresh: bool = False,
    clock: Clock | None = None,
    progress: Callable[[Progress], None] | None = None,
    turn: asyncio.Lock | None = None,
) -> SyncResult:
    """Fetch the missing rows of a series, or with `refresh` all of them, and store them piece by piece.

    Rows are stored in order of time, so after any interruption the next sync finds what is missing. The newest
    stored row is requested again together with the rows after it, and replaced if the source has revised it.
    If nothing is missing, no request is sent.

    Parameters
    ----------
    start, end : int [µs]
        Timestamps from `start` (None: the first stored) up to, but excluding, `end` (None: all closed bars).
    outages : Outages
        Known gaps of the exchange; new ones are added.
    turn : asyncio.Lock, optional
        Held while the store is in use, if several syncs share it.

    Returns
    -------
    SyncResult
        With `error` set if the source gave up; all rows received by then are stored.
    """
    clock, turn = clock or Clock(), turn or asyncio.Lock()
    work = _Work(store, key, outages, clock, turn)
    try:
        step = source.step_us(key.series, key.timeframe)
        start = await work.first() if start is None else start
        now_us = int(clock.now() * 1_000_000)
        end = min(end or now_us, now_us - (step if key.series == "bars" else 0) + 1)
        earliest = source.earliest(key.series)
        if earliest is not None and start < earliest:
            start = earliest
            work.notes.append(f"the source has nothing before {minute(earliest)} UTC")
        grid = key.series != "funding"
        start = align_up(start, step) if grid else start
        spans = [(start, end)] if refresh and start < end else await work.plan(start, end, step, grid=grid)
        await work.run(source, spans, step, progress)
    except MaestroError as error:
        return replace(work.result(), error=str(error))
    return work.result()


class _Work:
    """One series on its way from a source into a store."""

    def __init__(self, store: Store, key: SeriesKey, outages: Outages, clock: Clock, turn: asyncio.Lock) -> None:
        self.store, self.key, self.outages, self.clock, self.turn = store, key, outages, clock, turn
        self.notes: list[str] = []
        self.received = self.added = self.changed = 0
        self.gaps: list[Span] = []
        self._waiting: list[Page] = []
        self._since = clock.ticks()

    async def first(self) -> int:
        """Stamp of the first stored row."""
        for info in await self._call(self.store.series):
            if info.key == self.key:
                return info.first
        raise SettingsError(f"nothing is stored of {self.key} yet; say from when to fetch it (--from 2020-01-01).")

    async def plan(self, start: int, end: int, step: int, *, grid: bool) -> list[Span]:
        """Stretches to request, few and in order."""
        stored = await self._call(self.store.read, self.key, start, end)
        stamps = stored["timestamp"].to_physical().to_numpy()
        if len(stamps):
            known = self.outages.read(self.key)
        else:  # a store emptied by other means must not be kept empty by what was once known
            known = [] if await self._call(_is_empty, self.store, self.key) else self.outages.read(self.key)
        spans = without(missing(stamps, start, end, step, grid=grid), known)
        merged: list[Span] = []
        for low, high in spans:
            if merged and high - merged[-1][0] <= _TOGETHER * step:
                merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        if merged and len(stamps) and merged[-1][0] > stamps[-1]:
            merged[-1] = (int(stamps[-1]), merged[-1][1])
        return merged

    async def run(
        self, source: Source, spans: Sequence[Span], step: int, progress: Callable[[Progress], None] | None
    ) -> None:
        """Receive and store rows; received rows are stored even if the source fails or the user interrupts."""
        total = sum(-((low - high) // step) for low, high in spans)
        done = 0
        try:
            for low, high in spans:
                async for page in source.pages(self.key.symbol, self.key.series, self.key.timeframe, low, high):
                    self._waiting.append(page)
                    self.received += len(page.frame)
                    done = min(total, done + (page.end - page.start) // step)
                    if progress is not None:
                        progress(Progress(self.key, done, total))
                    rows = sum(len(waiting.frame) for waiting in self._waiting)
                    if rows >= FLUSH_ROWS or self.clock.ticks() - self._since >= FLUSH_SECONDS:
                        await self._flush()
            if progress is not None and done < total:  # settlements come at distances of their own
                progress(Progress(self.key, total, total))
        finally:
            await self._flush()

    def result(self) -> SyncResult:
        gaps = tuple(join(self.gaps))
        return SyncResult(self.key, self.received, self.added, self.changed, gaps, tuple(self.notes))

    async def _flush(self) -> None:
        pages, self._waiting, self._since = self._waiting, [], self.clock.ticks()
        frames = [page.frame for page in pages if len(page.frame)]
        if frames:
            added, changed = await self._call(put, self.store, self.key, pl.concat(frames))
            self.added, self.changed = self.added + added, self.changed + changed
        gaps = [gap for page in pages for gap in page.gaps]
        self.gaps += gaps
        if gaps and (frames or self.added or not await self._call(_is_empty, self.store, self.key)):
            self.outages.add(self.key, gaps, int(self.clock.now() * 1_000_000))

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        async with self.turn:
            return await asyncio.to_thread(work, *arguments)


def put(store: Store, key: SeriesKey, frame: pl.DataFrame) -> tuple[int, int]:
    """Store rows that are new or differ; returns the number of each. If there are none, nothing is written."""
    stamps = frame["timestamp"].to_physical()
    stored = store.read(key, int(stamps[0]), int(stamps[-1]) + 1)
    fresh = frame.join(stored, on="timestamp", how="anti", maintain_order="left")
    values = [name for name in frame.columns if name != "timestamp"]
    stored = stored.with_columns(pl.lit(None, pl.Float64).alias(name) for name in values if name not in stored.columns)
    both = frame.join(stored, on="timestamp", how="inner", suffix="_stored", maintain_order="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in values)
    # A store replaces whole rows: what else stands in a revised one (a joined series) is kept.
    others = [name for name in stored.columns if name not in frame.columns]
    revised = both.filter(differs).select(*frame.columns, *others)
    rows = pl.concat([fresh, revised], how="diagonal").sort("timestamp")
    if len(rows):
        store.append(key, rows)
    return len(fresh), len(revised)


def _is_empty(store: Store, key: SeriesKey) -> bool:
    return not any(info.key == key for info in store.series())
