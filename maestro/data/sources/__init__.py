"""Exchanges and archives that market data comes from."""

from __future__ import annotations

from maestro.data.sources.protocol import COLUMNS, Page, Source, Span
from maestro.data.sources.registry import PROVIDERS, open_archive, open_source
from maestro.data.sources.settings import SourceSettings

__all__ = ["COLUMNS", "PROVIDERS", "Page", "Source", "SourceSettings", "Span", "open_archive", "open_source"]
