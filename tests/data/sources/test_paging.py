"""Pages of a period: nothing lost to short answers, and gaps of the exchange distinguished from them."""

from __future__ import annotations

import asyncio

import polars as pl

from maestro.data.sources.http import Reply
from maestro.data.sources.paging import AGREE, walk
from maestro.data.sources.protocol import Page
from maestro.data.stores.rows import STAMP

SECOND = 1_000_000
STEP = 60 * SECOND
END = 10 * STEP


class Server:
    """Answers with the minutes that it has; `lost` are left out of the first answers that would hold them."""

    def __init__(self, *minutes: int, most: int = 100, lost: dict[int, int] | None = None, now: int = 1_000) -> None:
        self.minutes, self.most, self.lost, self.now = minutes, most, lost or {}, now
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, start: int, stop: int) -> Reply[pl.DataFrame]:
        self.asked.append((start // STEP, stop // STEP))
        held = [minute for minute in self.minutes if start <= minute * STEP < stop][: self.most]
        shown = [minute for minute in held if self.lost.get(minute, 0) <= 0]
        for minute in held:
            self.lost[minute] = self.lost.get(minute, 0) - 1
        frame = pl.DataFrame({"timestamp": pl.Series([m * STEP for m in shown], dtype=pl.Int64).cast(STAMP)})
        return Reply(frame, float(self.now))


def pages(server: Server, **options: int) -> list[Page]:
    async def run() -> list[Page]:
        return [page async for page in walk(server, 0, END, step=STEP, length=STEP, advance=STEP, **options)]

    return asyncio.run(run())


def minutes(found: list[Page]) -> list[int]:
    return [stamp // STEP for page in found for stamp in page.frame["timestamp"].to_physical()]


def gaps(found: list[Page]) -> list[tuple[int, int]]:
    return [(low // STEP, high // STEP) for page in found for low, high in page.gaps]


def test_a_page_that_comes_back_short_costs_a_request_and_no_row() -> None:
    server = Server(*range(10), most=4)
    assert minutes(pages(server)) == list(range(10))
    assert server.asked == [(0, 10), (4, 10), (8, 10)]


def test_a_row_that_one_answer_lacks_is_asked_for_again() -> None:
    found = pages(Server(*range(10), lost={5: 1}))
    assert minutes(found) == list(range(10))
    assert gaps(found) == []


def test_what_is_missing_at_the_exchange_is_a_gap() -> None:
    server = Server(0, 1, 2, 6, 7, 8, 9)
    found = pages(server)
    assert minutes(found) == [0, 1, 2, 6, 7, 8, 9]
    assert gaps(found) == [(3, 6)]
    assert len(server.asked) == 1 + AGREE


def test_an_open_bar_is_left_out() -> None:
    found = pages(Server(*range(10), now=8 * 60 + 30))
    assert minutes(found) == list(range(8))
    assert gaps(found) == []


def test_a_window_bounds_each_request() -> None:
    server = Server(*range(10))
    assert minutes(pages(server, window=3 * STEP)) == list(range(10))
    assert server.asked == [(0, 3), (3, 6), (6, 9), (9, 10)]
