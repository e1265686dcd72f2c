"""What is delivered to a page waits until the browser has drawn it; without a page there is nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import pytest
from bokeh.document import Document

from maestro.apps.shared import delivery as module
from maestro.apps.shared.delivery import after_pause, delivery, repeat


class Page:
    """A page that is being made, as Panel and Bokeh show it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.document, self.drawn = Document(), False
        self.waiting: list[Callable[[], object]] = []
        monkeypatch.setattr(module, "served_document", lambda: self.document)
        monkeypatch.setattr(pn.state, "onload", lambda call: call() if self.drawn else self.waiting.append(call))

    def tick(self) -> None:
        """Run what waits for the next tick."""
        for one in self.document.session_callbacks:
            self.document.remove_next_tick_callback(one)  # type: ignore[arg-type]
            one.callback()

    def draw(self) -> None:
        """Run what waits for the browser."""
        self.drawn = True
        for one in self.waiting:
            one()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


def test_without_a_page_there_is_no_delivery() -> None:
    assert delivery() is None


def test_changes_wait_in_order_until_the_page_is_drawn(page: Page) -> None:
    deliver, done = delivery(), []
    assert deliver is not None
    deliver(lambda: done.append("first"))
    page.tick()
    deliver(lambda: done.append("second"))
    page.tick()
    assert done == []
    page.draw()
    assert done == ["first", "second"]
    deliver(lambda: done.append("third"))
    assert done[2:] == [], "only where the page may be changed"
    page.tick()
    assert done[2:] == ["third"]


def test_repetitions_begin_when_the_page_is_drawn(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    monkeypatch.setattr(pn.state, "add_periodic_callback", lambda look, milliseconds: begun.append(milliseconds))
    repeat(lambda: None, 250)
    assert begun == []
    page.draw()
    assert begun == [250]


def test_of_changes_that_follow_each_other_the_last_comes_after_a_pause(page: Page) -> None:
    later, done = after_pause(200), []
    assert later is not None
    page.draw()
    for name in ("first", "second"):
        later(lambda name=name: done.append(name))  # type: ignore[misc]
    (waiting,) = page.document.session_callbacks
    assert waiting.timeout == 200  # type: ignore[attr-defined]
    assert done == []
    waiting.callback()
    assert done == ["second"]


def test_without_a_page_nothing_can_wait_for_a_pause() -> None:
    assert after_pause(200) is None
