"""Exchanges and archives that market data comes from."""

from __future__ import annotations

from maestro.data.sources.archive import open_archive
from maestro.data.sources.context import Context
from maestro.data.sources.http import Client, Reply
from maestro.data.sources.limits import Budget, Clock
from maestro.data.sources.paging import walk
from maestro.data.sources.protocol import COLUMNS, Page, Source, Span, check_page, make_frame
from maestro.data.sources.registry import SOURCES, OpenSource, is_fetched, open_source

__all__ = [
    "COLUMNS",
    "SOURCES",
    "Budget",
    "Client",
    "Clock",
    "Context",
    "OpenSource",
    "Page",
    "Reply",
    "Source",
    "Span",
    "check_page",
    "is_fetched",
    "make_frame",
    "open_archive",
    "open_source",
    "walk",
]
