"""The data behind the parts of a figure."""

from __future__ import annotations

from typing import Any

from bokeh.models.sources import ColumnDataSource


def sources_of(model: Any) -> list[dict[str, Any]]:
    return [dict(source.data) for source in model.select({"type": ColumnDataSource})]


def data_with(model: Any, *columns: str) -> dict[str, Any]:
    return next(data for data in sources_of(model) if set(columns) <= set(data))
