"""The client: what it asks again, what it gives up on, and when it keeps silent."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from maestro.config.settings import FetchSettings
from maestro.data.sources.http import MARGIN, Client, Reply
from maestro.data.sources.limits import Budget, Host
from maestro.errors import SourceError
from maestro.testing import VirtualClock

Handler = Callable[[httpx.Request], httpx.Response]


class Talk:
    """A client before a scripted exchange, on a clock of their own; `times` are those of the requests."""

    def __init__(self, handler: Handler, tmp_path: Path, **settings: Any) -> None:
        self.clock = VirtualClock(1_700_000_000.0)
        self.times: list[float] = []
        self.handler, self.tmp_path = handler, tmp_path
        self.settings = FetchSettings(**settings)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.times.append(self.clock.now())
        return self.handler(request)

    def ask(self, count: int = 1, cost: float = 1.0) -> list[Reply[Any]]:
        async def run() -> list[Reply[Any]]:
            usage = lambda headers: {"weight": float(headers["used"])} if "used" in headers else {}  # noqa: E731
            budgets = {"weight": Budget(100, 60)}
            host = Host("x.test", budgets, clock=self.clock, usage=usage, state_dir=self.tmp_path)
            transport = httpx.MockTransport(self._answer)
            async with Client("http://x.test", host, self.settings, rng=random.Random(0), transport=transport) as c:
                asked = [c.get("/a", {"n": n}, {"weight": cost}, lambda r: r.json()) for n in range(count)]
                return list(await asyncio.gather(*asked))

        return asyncio.run(run())


def scripted(*answers: httpx.Response | Exception) -> Handler:
    waiting = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


OK = httpx.Response(200, json=[1])


@pytest.mark.parametrize("status", [429, 418, 503])
def test_retry_after_is_obeyed(tmp_path: Path, status: int) -> None:
    talk = Talk(scripted(httpx.Response(status, headers={"Retry-After": "77"}), OK), tmp_path)
    assert talk.ask()[0].value == [1]
    assert talk.times[1] - talk.times[0] == pytest.approx(77 + MARGIN)


def test_retry_after_may_be_a_date(tmp_path: Path) -> None:
    later = {"Retry-After": "Tue, 14 Nov 2023 22:15:20 GMT"}  # two minutes after the clock's start
    talk = Talk(scripted(httpx.Response(418, headers=later), OK), tmp_path)
    talk.ask()
    assert talk.times[1] - talk.times[0] == pytest.approx(120 + MARGIN)


@pytest.mark.parametrize(("status", "seconds"), [(429, 60), (418, 120)])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "-5"}, {"Retry-After": "nan"}])
def test_without_a_usable_retry_after_the_shortest_ban_counts(
    tmp_path: Path, status: int, seconds: float, headers: dict[str, str]
) -> None:
    talk = Talk(scripted(httpx.Response(status, headers=headers), OK), tmp_path)
    talk.ask()
    assert talk.times[1] - talk.times[0] == pytest.approx(seconds + MARGIN)


def test_a_long_ban_is_an_error_and_the_next_run_does_not_even_ask(tmp_path: Path) -> None:
    talk = Talk(scripted(httpx.Response(418, headers={"Retry-After": "86400"})), tmp_path)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"must not be called before Wed, 15 Nov 2023 22:13:20 GMT"):
            talk.ask()
    assert len(talk.times) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(200, content=b"[1, 2"),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("peer closed connection"),
    ],
)
def test_a_passing_trouble_is_asked_again(tmp_path: Path, trouble: httpx.Response | Exception) -> None:
    talk = Talk(scripted(trouble, trouble, trouble, OK), tmp_path)
    assert talk.ask()[0].value == [1]
    pauses = [later - earlier for earlier, later in zip(talk.times, talk.times[1:], strict=False)]
    assert 0.125 <= pauses[0] <= 0.25 <= pauses[1] <= 0.5 <= pauses[2] <= 1.0  # growing, with jitter


def test_it_gives_up_after_the_set_number_with_a_reason(tmp_path: Path) -> None:
    talk = Talk(lambda request: httpx.Response(502, text="bad gateway"), tmp_path, tries=4)
    with pytest.raises(SourceError, match=r"failed 4 times.*HTTP 502 bad gateway"):
        talk.ask()
    assert len(talk.times) == 4


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"code": -1121, "msg": "Invalid symbol."}, r"-1121 Invalid symbol\."),
        (400, {"error": {"message": "Invalid API Key.", "name": "HTTPError"}}, r"HTTPError: Invalid API Key\."),
        (403, {}, r"firewall"),
        (404, {}, r"404"),
        (301, {}, r"base URL"),
    ],
)
def test_a_refusal_is_not_asked_again(tmp_path: Path, status: int, body: dict[str, Any], message: str) -> None:
    talk = Talk(lambda request: httpx.Response(status, json=body), tmp_path)
    with pytest.raises(SourceError, match=message):
        talk.ask()
    assert len(talk.times) == 1


def test_the_budget_holds_for_many_requests_at_once(tmp_path: Path) -> None:
    talk = Talk(lambda request: OK, tmp_path)
    talk.ask(count=200, cost=3.0)
    assert len(talk.times) == 200
    for start in talk.times:
        assert sum(3.0 for at in talk.times if start <= at < start + 60) <= 90


def test_the_exchanges_own_count_goes_before_ours(tmp_path: Path) -> None:
    talk = Talk(lambda request: httpx.Response(200, json=[], headers={"used": "95"}), tmp_path)
    talk.ask(count=2)
    assert len(talk.times) == 2
    talk = Talk(lambda request: httpx.Response(200, json=[], headers={"used": "95"}), tmp_path, concurrency=1)
    talk.ask(count=2)
    assert talk.times[1] - talk.times[0] >= 59


def test_after_trouble_one_request_at_a_time(tmp_path: Path) -> None:
    under_way: list[int] = []
    most: list[int] = []
    answered = 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal answered
            under_way.append(1)
            most.append(len(under_way))
            await asyncio.sleep(0.002)
            under_way.pop()
            answered += 1
            return httpx.Response(500 if answered <= 4 else 200, json=[])

    async def run() -> None:
        clock = VirtualClock(0.0)
        host = Host("x.test", {}, clock=clock)
        settings = FetchSettings(concurrency=4)
        async with Client("http://x.test", host, settings, transport=Slow()) as client:
            await asyncio.gather(*(client.get("/", {}, {}, lambda response: None) for _ in range(12)))

    asyncio.run(run())
    assert max(most[:4]) == 4
    assert most[4] == 1  # the fifth goes alone: the first four failed
    assert max(most) == 4  # and once one has succeeded they go side by side again


def test_a_body_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            while True:
                await asyncio.sleep(0.01)  # always shorter than a timeout between two parts
                yield b" "

    answers = [httpx.Response(200, stream=Endless()), OK]
    talk = Talk(scripted(*answers), tmp_path, timeout=0.1)
    assert talk.ask()[0].value == [1]


def test_the_earlier_of_both_clocks_counts(tmp_path: Path) -> None:
    behind = httpx.Response(200, json=[], headers={"Date": "Tue, 14 Nov 2023 22:13:00 GMT"})
    ahead = httpx.Response(200, json=[], headers={"Date": "Tue, 14 Nov 2023 23:00:00 GMT"})
    broken = httpx.Response(200, json=[], headers={"Date": "yesterday"})
    assert Talk(scripted(behind), tmp_path).ask()[0].now == 1_700_000_000 - 20
    assert Talk(scripted(ahead), tmp_path).ask()[0].now == 1_700_000_000
    assert Talk(scripted(broken), tmp_path).ask()[0].now == 1_700_000_000


def test_an_answer_without_end_is_refused_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.data.sources.http.LONGEST", 10_000)
    sent = 0

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1
                yield b"0" * 1_000

    talk = Talk(scripted(httpx.Response(200, stream=Endless())), tmp_path)
    with pytest.raises(SourceError, match=r"sent more than 0 MB at /a, which no answer has"):
        talk.ask()
    assert len(talk.times) == 1
    assert sent == 11


def test_a_packed_answer_counts_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro.data.sources.http.LONGEST", 10_000)
    packed = gzip.compress(b"[" + b" " * 100_000 + b"]")
    assert len(packed) < 1_000
    with pytest.raises(SourceError, match="which no answer has"):
        Talk(scripted(httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed)), tmp_path).ask()
    small = gzip.compress(b"[1]")
    [reply] = Talk(scripted(httpx.Response(200, headers={"content-encoding": "gzip"}, content=small)), tmp_path).ask()
    assert reply.value == [1]
