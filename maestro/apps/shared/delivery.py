"""Changes of a page that come from a thread or from a later moment: they wait until the browser has drawn the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import panel as pn

Deliver: TypeAlias = Callable[[Callable[[], None]], Any]
REST = 400
"""Milliseconds after which a slider rests: what nobody reads while it moves follows then.

Not less: with 200, who moved a slider by one step every quarter of a second waited for the table of the step before.
"""


def served_document() -> Any:
    """Document of the page that is being made; None in a notebook and in scripts."""
    document = pn.state.curdoc
    return None if document is None or document.session_context is None else document


def delivery() -> Deliver | None:
    """Return what calls a function where the page that is being made may be changed; None without a page.

    A function that is delivered before the browser has drawn the page waits for it: Panel 1.9 drops what changes in
    a `hold` after the browser has asked for the document and before it says that it has drawn it, and a property that
    the server believes to be sent is not sent again.
    """
    document = served_document()
    if document is None:
        return None

    def deliver(change: Callable[[], None]) -> None:
        document.add_next_tick_callback(lambda: pn.state.onload(change))

    return deliver


def after_pause(milliseconds: int) -> Deliver | None:
    """Return what calls the last of several functions once no other has followed for a while; None without a page."""
    document = served_document()
    if document is None:
        return None
    waiting: list[Any] = []

    def deliver(change: Callable[[], None]) -> None:
        if waiting:
            document.remove_timeout_callback(waiting.pop())

        def run() -> None:
            waiting.clear()
            pn.state.onload(change)

        waiting.append(document.add_timeout_callback(run, milliseconds))

    return deliver


def repeat(look: Callable[[], None], milliseconds: int) -> None:
    """Call a function again and again on the page that is being made, from when the browser has drawn it."""

    def start() -> None:
        pn.state.add_periodic_callback(look, milliseconds)

    pn.state.onload(start)
