"""Bokeh figures in the colours of the page's theme, light or dark."""

from __future__ import annotations

from typing import Any


def themed(figure: Any, dark: bool) -> Any:
    """Give a figure the colours of the page's theme."""
    from bokeh.core.property.vectorization import Value
    from bokeh.models.plots import Plot
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import swaps

    for plot in figure.select({"type": Plot}):
        plot.border_fill_alpha = 0.0  # the paper's, which no theme of a library changes
    if not dark:
        return figure
    partner = swaps()
    for model in figure.references():
        if isinstance(model, ColumnDataSource):
            data: Any = model.data
            for name in [name for name in data if name == "color"]:
                data[name] = [partner.get(one, one) for one in data[name]]
            continue
        for name, value in model.properties_with_values(include_defaults=False).items():
            if isinstance(value, str) and value in partner:
                setattr(model, name, partner[value])
            elif isinstance(value, Value) and isinstance(value.value, str) and value.value in partner:
                setattr(model, name, partner[value.value])
    return figure
