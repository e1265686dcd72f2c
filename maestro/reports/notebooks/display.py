"""Figures and key figures in a notebook, rendered so that its static HTML needs no network."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from typing import Any

from maestro.errors import MissingExtraError, RunError, SettingsError
from maestro._core.formatting import NONE, label, metric, number
from maestro.reports.html.embedding import bokeh_script, in_script
from maestro.reports.html.environment import Html, render, stylesheet
from maestro.reports.figures.theme import COLOR

HEADLINE = "application/vnd.maestro.headline+json"
"""MIME type of key figures in a notebook's output, from which a batch makes its index."""
FIGURE = "mst-figure"
"""Class of the element that holds a figure's document as JSON; its ``data-at`` names the place to draw in."""
HEADLINES = (
    "total_return", "annual_return", "sharpe_ratio", "vwr", "max_drawdown", "num_trades", "exposure",
)  # fmt: skip
"""Metrics that stand for a result where one line must do."""

_loaded_by: str | None = None


def show(*figures: Any) -> None:
    """Show figures in a notebook's cell, live and in static HTML alike, without a network.

    The library that draws them stands in the output of the first cell that shows a figure.

    Parameters
    ----------
    *figures : Bokeh figure or layout, HoloViews object (of `plot`), or anything with a rich display
        Drawn one below the other, as wide as the page.

    Raises
    ------
    MissingExtraError
        Jupyter is not installed.

    Notes
    -----
    A notebook that imports ``hvplot.polars`` or ``hvplot.pandas`` has blank plots in static HTML without a network;
    `plot` and this function have not.
    """
    display = _display()
    for figure in figures:
        model = as_bokeh(figure)
        if model is None:
            display(figure)
            continue
        data = {"text/html": drawn(model), "text/plain": f"[figure: {type(model).__name__}]"}
        display(data, raw=True)


def plot(frame: Any) -> Any:
    """Plotting interface of hvPlot for a polars or pandas frame: ``show(plot(frame).line(x="n", y="sharpe"))``.

    It is ``frame.hvplot`` without the notebook extension, which would ask the network for its scripts.

    Raises
    ------
    MissingExtraError
        hvPlot is not installed.
    """
    import importlib

    try:
        holoviews: Any = importlib.import_module("holoviews")
        importlib.import_module("holoviews.plotting.bokeh")  # registers the backend
        plotting: Any = importlib.import_module("hvplot.plotting.core")
    except ImportError as error:
        raise MissingExtraError("hvPlot", "jupyter") from error
    holoviews.Store.set_current_backend("bokeh")
    of_polars = type(frame).__module__.startswith("polars")
    return plotting.hvPlotTabularPolars(frame) if of_polars else plotting.hvPlotTabular(frame)


def headline(result: Any, **more: Any) -> None:
    """Show the key figures of a result and hand them to the index page of a batch.

    Parameters
    ----------
    result : Backtest, WalkForward, or mapping of names to numbers or text
        Of the first two the metrics are taken, of a walk-forward those out of sample and the conclusion of its verdict.
    **more : number or str
        Further figures by name.

    Raises
    ------
    SettingsError
        `result` has no metrics and is not a mapping.
    """
    found = headline_of(result) | more
    data = {
        HEADLINE: [[name, _plain(value)] for name, value in found.items()],  # a list keeps its order in the file
        "text/html": tiles(found),
        "text/plain": ", ".join(f"{label(key)} {written(key, one)}" for key, one in found.items()),
    }
    _display()(data, raw=True)


def frame_table(frame: Any) -> Html:
    """Polars frame as a table for people: metrics in their units, headings in words, a dash where nothing is known."""
    from maestro.reports.html.fragments import table

    rows = [
        [NONE if value is None else written(name, value) for name, value in row.items()] for row in frame.to_dicts()
    ]
    numeric = [place for place, kind in enumerate(frame.dtypes) if kind.is_numeric()]
    heads = [
        f"{label(name.removeprefix('is_'))} in sample" if name.startswith("is_") else label(name)
        for name in frame.columns
    ]
    return table(heads, rows, numeric=numeric)


def headline_of(result: Any) -> dict[str, Any]:
    """Key figures of a result by name."""
    if isinstance(result, Mapping):
        return dict(result)
    metrics = getattr(result, "metrics", None)
    if not isinstance(metrics, Mapping):
        raise SettingsError(
            f"a {type(result).__name__} has no metrics; give a Backtest, a WalkForward, or names and numbers."
        )
    found: dict[str, Any] = {name: metrics[name] for name in HEADLINES if name in metrics}
    if hasattr(type(result), "verdict"):  # a walk-forward or a portfolio; preliminary until `ms.verdict` makes all checks
        try:
            found["verdict"] = result.verdict.name
        except RunError as error:
            found["verdict"] = f"damaged: {error}"
    return found


def tiles(found: Mapping[str, Any]) -> Html:
    """Key figures in a row."""
    shown = [(label(key), written(key, value)) for key, value in found.items()]
    return render("headline.html", css=stylesheet("headline.css"), figures=shown)


def drawn(model: Any, above: str = "") -> str:
    """HTML of a cell's output that draws a Bokeh model, with the library where this is the first."""
    return f"{_library()}{above}{fragment(model)}"


def written(name: str, value: Any) -> str:
    """Key figure as people read it: a metric in its unit, other whole numbers without decimals, text as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value, 0)
    return metric(name, value) if isinstance(value, float) else str(value)


def as_bokeh(figure: Any) -> Any:
    """Bokeh model of a Bokeh or HoloViews object, as wide as its place; None for anything else."""
    from bokeh.models.layouts import LayoutDOM

    if type(figure).__module__.startswith("holoviews."):
        import holoviews  # type: ignore[import-untyped]

        model: Any = holoviews.render(figure, backend="bokeh")
        model.sizing_mode = "stretch_width"
        _house_style(model)
        return model
    return figure if isinstance(figure, LayoutDOM) else None


def fragment(model: Any) -> Html:
    """HTML that draws a Bokeh model as soon as its library is there."""
    from bokeh.document import Document

    place = f"fig-{uuid.uuid4().hex[:12]}"
    document = Document()
    document.add_root(model)
    text = in_script(json.dumps(document.to_json(deferred=False), separators=(",", ":")))
    document.remove_root(model)  # a model stands in one document only, and may be shown again
    script = stylesheet("figure.js").replace("PLACE", place).replace("ROOT", model.id)
    return render("figure.html", place=place, kind=FIGURE, root=model.id, document=text, script=script)


def _library() -> str:
    """Script tag of the library in the first cell that shows something, also when that cell runs again."""
    global _loaded_by
    cell = _cell()
    if _loaded_by is not None and cell != _loaded_by:
        return ""
    _loaded_by = cell
    return f"<script data-maestro='library'>if (!window.Bokeh) {{{bokeh_script()}}}</script>"


def _cell() -> str:
    """Mark of the cell that runs: its id where the frontend tells it, else its number."""
    from IPython import get_ipython  # type: ignore[attr-defined]

    shell = get_ipython()  # type: ignore[no-untyped-call]
    if shell is None:
        return ""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return str((parent.get("metadata") or {}).get("cellId") or f"in {shell.execution_count}")


def _display() -> Any:
    try:
        from IPython.display import display
    except ImportError as error:
        raise MissingExtraError("IPython", "jupyter") from error
    return display


def _house_style(model: Any) -> None:
    """Give a plot of HoloViews the ground, fonts and lines of the other figures."""
    from maestro.reports.figures.theme import apply_theme

    for figure in model.select({"type": _figure_type()}):
        figure.background_fill_color = figure.border_fill_color = COLOR["surface"]
        figure.outline_line_color = None
        figure.toolbar.logo = None
        figure.toolbar.autohide = True
        apply_theme(figure)


def _figure_type() -> Any:
    from bokeh.models.plots import Plot

    return Plot


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
