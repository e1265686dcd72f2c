"""Request a period page by page, without losing rows to short or empty answers, and identify true gaps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import polars as pl

from maestro.data.sources.http import Reply
from maestro.data.sources.protocol import Page, Span

AGREE = 2  # further answers that must show the same hole before it is believed
Ask = Callable[[int, int], Awaitable[Reply[pl.DataFrame]]]


async def walk(
    ask: Ask, start: int, end: int, *, step: int, length: int, advance: int, window: int | None = None
) -> AsyncIterator[Page]:
    """Pages from `start` up to, but excluding, `end` [µs].

    The next page begins after the last row received, so a short page costs a request but no row. An
    answer with a gap, or an empty one, is requested again until `AGREE` more answers have added nothing: rows missing
    then are missing at the exchange. If a row changed between two answers, the later one counts.

    Parameters
    ----------
    ask : callable
        Takes (start, end) [µs]; replies with checked rows, ascending, possibly cut short, some perhaps still open.
    step : int [µs], distance of rows; more than one and a half of it is a hole
    length : int [µs], time from a row's stamp until it is final: the bar's length, 0 for a settlement
    advance : int [µs], from the last row received to the start of the next page
    window : int [µs], optional
        Longest stretch of one request, for servers that answer a longer one from its end.
    """
    cursor = start
    while cursor < end:
        stop = end if window is None else min(end, cursor + window)
        frame, now = await ask(cursor, stop)
        agreed = 0
        while agreed < AGREE and _holes(frame, cursor, _edge(stop, now, length), step, advance):
            again, now = await ask(cursor, stop)
            merged = pl.concat([frame, again]).unique("timestamp", keep="last").sort("timestamp")
            agreed = agreed + 1 if len(merged) == len(frame) else 0
            frame = merged
        edge = _edge(stop, now, length)
        frame = frame.filter(pl.col("timestamp").to_physical() < edge)
        gaps = tuple(_holes(frame, cursor, edge, step, advance))
        if len(frame):
            following = int(frame["timestamp"].to_physical()[-1]) + advance
            yield Page(frame, cursor, following, gaps)
            cursor = following
        else:
            yield Page(frame, cursor, max(edge, cursor, *(gap[1] for gap in gaps)), gaps)
            cursor = stop
        if cursor >= _edge(end, now, length):
            return


def _edge(stop: int, now: float, length: int) -> int:
    """First stamp [µs] that is not final yet, or `stop`."""
    return min(stop, int(now * 1_000_000) - length + 1)


def _holes(frame: pl.DataFrame, start: int, edge: int, step: int, advance: int) -> list[Span]:
    """Stretches without a row, before, between and (where there is no row at all) up to the edge.

    On a grid (bars) one missing row is a hole; settlements, whose distance varies, must leave out a whole `step`.
    """
    stamps = frame["timestamp"].to_physical()
    if not len(stamps):
        if advance == step:
            return [(start, start - (start - edge) // step * step)] if edge > start else []
        return [(start, edge)] if edge - start >= step else []
    holes = [(start, int(stamps[0]))] if stamps[0] - start >= step else []
    wide = (stamps.diff() * 2 > 3 * step).arg_true()
    return holes + [(int(stamps[int(row) - 1]) + advance, int(stamps[int(row)])) for row in wide]
