"""The store that a command of ``maestro data`` works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maestro.data.stores import Store

Place = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="STORE",
        help="A folder, questdb, questdb://HOST:PORT, or a plug-in's; else as configured.",
    ),
]


@contextmanager
def opened(text: str | None) -> Iterator[Store]:
    """Open the store of ``--store``, or the configured one, so that no row is older than this call."""
    from dataclasses import replace

    from maestro.config import load_settings
    from maestro.data.stores import open_store

    settings = load_settings()
    store = open_store(text, replace(settings, cache=replace(settings.cache, max_age=0.0)))
    try:
        yield store
    finally:
        store.close()
