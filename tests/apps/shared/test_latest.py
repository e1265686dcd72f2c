"""The newest request wins: others are cancelled or never begun, and nothing of them is delivered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

from maestro.apps.shared.latest import Latest


class Page:
    """Collects what is delivered and calls it on this thread, as a page does."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], None]] = Queue()
        self.seen: list[Any] = []

    def run(self, until: int) -> None:
        """Call what is delivered until so much was seen."""
        while len(self.seen) < until:
            self.calls.get(timeout=600)()


def test_the_last_of_several_requests_is_computed_and_the_one_in_progress_is_cancelled() -> None:
    page, begun, cancelled = Page(), threading.Event(), threading.Event()
    latest = Latest(page.calls.put)
    made: list[int] = []

    def slow(cancel: threading.Event) -> Iterator[str]:
        yield "first step"
        begun.set()
        assert cancel.wait(600)
        cancelled.set()
        yield "too late"

    def quick(number: int) -> Callable[[threading.Event], Iterator[str]]:
        def steps(cancel: threading.Event) -> Iterator[str]:
            made.append(number)
            yield f"number {number}"

        return steps

    latest.ask(slow, page.seen.append, lambda error: page.seen.append(error))
    assert begun.wait(600), "asking does not wait"
    page.run(1)
    for number in range(3):
        latest.ask(quick(number), page.seen.append, lambda error: page.seen.append(("end", error)))
    page.run(3)
    assert page.seen == ["first step", "number 2", ("end", None)]
    assert cancelled.is_set()
    assert 2 in made
    latest.wait(600)
    assert page.calls.empty()


def test_an_error_is_delivered_and_the_next_request_is_computed() -> None:
    page = Page()
    latest = Latest(page.calls.put)

    def broken(cancel: threading.Event) -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("division by zero")

    latest.ask(broken, page.seen.append, lambda error: page.seen.append(type(error)))
    page.run(2)
    latest.ask(lambda cancel: iter([7]), page.seen.append, lambda error: page.seen.append(error))
    page.run(4)
    assert page.seen == [1, ZeroDivisionError, 7, None]


def test_nothing_is_delivered_after_a_stop() -> None:
    page, go_on = Page(), threading.Event()
    latest = Latest(page.calls.put)

    def steps(cancel: threading.Event) -> Iterator[int]:
        assert go_on.wait(600)
        yield 1

    latest.ask(steps, page.seen.append, page.seen.append)
    latest.stop()
    go_on.set()
    latest.wait(600)
    assert page.calls.empty()


def test_without_a_page_a_request_is_computed_at_once() -> None:
    seen: list[Any] = []
    Latest().ask(lambda cancel: iter("ab"), seen.append, seen.append)
    assert seen == ["a", "b", None]
