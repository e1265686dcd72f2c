"""The fake exchange limits, bans, fails and serves files as a real one does, and says what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro.testing import Answer, FakeExchange, Faults, Market, NoFaults, Refusal, VirtualClock


class Numbers(Market):
    """Counts up; three requests a minute."""

    paths = ("/api",)

    def answer(self, path: str, params: dict[str, str], now: float) -> Answer:
        if path != "/api/numbers":
            raise Refusal(400, {"msg": "no such path"})
        return Answer(list(range(int(params.get("n", "3")))), "requests", wrap="rows")

    def limit(self, path: str, budget: str) -> tuple[float, float]:
        return 3, 60

    def headers(self, budget: str, used: float, allowed: float, reset: float) -> dict[str, str]:
        return {"used": f"{used:g}", "reset": f"{reset:g}"}


@pytest.fixture
def exchange() -> Iterator[FakeExchange]:
    with FakeExchange(Numbers(), clock=VirtualClock(60_030.0)) as running:
        yield running


def get(exchange: FakeExchange, path: str, **params: Any) -> httpx.Response:
    return httpx.get(f"{exchange.url}{path}", params=params)


def test_an_answer_carries_rows_headers_and_the_time_of_its_clock(exchange: FakeExchange) -> None:
    answer = get(exchange, "/api/numbers", n=2)
    assert answer.json() == {"rows": [0, 1]}
    assert (answer.headers["used"], answer.headers["reset"]) == ("1", "60060")
    assert answer.headers["date"] == "Thu, 01 Jan 1970 16:40:30 GMT"
    assert [(one.time, one.path, one.params, one.outcome) for one in exchange.requests] == [
        (60_030.0, "/api/numbers", {"n": "2"}, "200")
    ]


def test_a_refusal_is_sent_as_it_is(exchange: FakeExchange) -> None:
    answer = get(exchange, "/api/letters")
    assert (answer.status_code, answer.json()) == (400, {"msg": "no such path"})


def test_too_many_requests_are_banned_and_what_comes_inside_the_ban_is_logged(exchange: FakeExchange) -> None:
    clock: Any = exchange.clock
    answers = [get(exchange, "/api/numbers") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "31"
    assert exchange.over_limit == 1
    clock.time += 1
    assert get(exchange, "/api/numbers").status_code == 429
    assert [one.outcome for one in exchange.inside_bans()] == ["inside a 429"]
    clock.time += 31
    assert get(exchange, "/api/numbers").status_code == 200


def test_faults_are_those_of_the_seed(exchange: FakeExchange) -> None:
    exchange.reset(Numbers(), VirtualClock(0.0), Faults(3, 1.0, ("empty", "short")))
    answers = [get(exchange, "/api/numbers", n=9, turn=turn).json()["rows"] for turn in range(3)]
    assert all(len(rows) < 9 for rows in answers)
    assert exchange.faults.met.total() == 3
    exchange.reset(Numbers(), VirtualClock(0.0), Faults(3, 1.0, ("empty", "short")))
    assert [get(exchange, "/api/numbers", n=9, turn=turn).json()["rows"] for turn in range(3)] == answers
    exchange.reset(Numbers(), VirtualClock(0.0), Faults(1, 1.0, ("drop",)))
    with pytest.raises(httpx.RemoteProtocolError):
        get(exchange, "/api/numbers")
    exchange.reset(Numbers(), VirtualClock(0.0))
    assert isinstance(exchange.faults, NoFaults)
    assert exchange.requests == []


def test_files_are_served_outside_of_the_api(exchange: FakeExchange, tmp_path: Path) -> None:
    exchange.files = tmp_path
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.zip").write_bytes(b"zip")
    assert get(exchange, "/data/a.zip").content == b"zip"
    assert get(exchange, "/data/b.zip").status_code == 404


def test_a_virtual_clock_moves_by_waiting_alone() -> None:
    clock = VirtualClock(100.0)

    async def wait() -> None:
        await asyncio.gather(clock.sleep(5), clock.sleep(3))

    asyncio.run(wait())
    assert clock.now() == clock.ticks() == 105.0
