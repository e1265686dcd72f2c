"""Work in the background of a verdict: its result, its errors, and its end when the verdict ends before it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from maestro.errors import RunError
from maestro.validation.verdict.background import Background


def test_the_result_comes_with_its_progress_on_the_thread_that_asks() -> None:
    def work(stop: threading.Event, done: Callable[[int], None]) -> int:
        done(2)
        done(3)
        return threading.get_ident()

    asked: list[tuple[int, int]] = []
    with Background(work, 1, threading.Event()) as background:
        thread = background.result(lambda parts: asked.append((parts, threading.get_ident())))
    assert thread != threading.get_ident()
    assert sum(parts for parts, _ in asked) == 5
    assert {ident for _, ident in asked} == {threading.get_ident()}


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    def work(stop: threading.Event, done: Callable[[int], None]) -> None:
        raise RunError("a worker process died")

    with Background(work, 1, threading.Event()) as background, pytest.raises(RunError, match="a worker process died"):
        background.result(lambda parts: None)


@pytest.mark.parametrize("early", ["an error of another step", "the caller"])
def test_it_stops_when_the_verdict_ends(early: str) -> None:
    cancel, stopped = threading.Event(), []

    def work(stop: threading.Event, done: Callable[[int], None]) -> None:
        began = threading.Event()
        while not stop.is_set():
            assert not began.wait(0.01)
        stopped.append(cancel.is_set())

    if early == "the caller":
        with Background(work, 1, cancel) as background:
            cancel.set()
            background.result(lambda parts: None)
    else:
        with pytest.raises(KeyboardInterrupt), Background(work, 1, cancel):
            raise KeyboardInterrupt
    assert stopped == [early == "the caller"], "the event of the caller is never set"
    assert "permutations" not in [thread.name for thread in threading.enumerate()]
