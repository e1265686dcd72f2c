"""Choice and result of each fold: the table of folds, and in sample against out of sample."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import label, metric, moment, significant
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import Cell, table
from maestro.walkforward.columns import done, metric_names, numbers, parameter_names, searched

SHOWN = ("sharpe_ratio", "annual_return", "total_return", "max_drawdown", "num_trades")
_SHORT = {"total_return": "return", "max_drawdown": "drawdown", "num_trades": "trades"}
"""Metrics shown out of sample alone."""
"""Metrics shown of each fold, where the run has them; the ranking metric is added in front."""
_DAYS_ONLY = 7 * 86_400
"""Test windows of that length [s] or more are shown by their days."""
_ANNUAL_FROM = 90 * 86_400
"""A year's rate is shown for windows of that length [s] or more; of shorter ones it runs to millions."""


def fold_table(wf: Any, *, metrics: tuple[str, ...] = SHOWN) -> Html:
    """Table of the folds: windows, chosen parameters, metrics in sample and out of sample, and failures.

    A fold that failed shows its error in place of figures.
    """
    folds = wf.folds
    params = parameter_names(folds)
    varied = set(searched(wf))
    have = metric_names(folds)
    span = (folds["test_end"] - folds["test_start"]).min() if len(folds) else None
    length = span.total_seconds() if isinstance(span, timedelta) else 0.0
    if length < _ANNUAL_FROM:
        metrics = tuple(n for n in metrics if n != "annual_return")
    names = [n for n in dict.fromkeys((wf.spec.selection.ranking, *metrics)) if n in have]
    sided = [n for n in names if n not in _SHORT]
    single = [n for n in names if n in _SHORT]
    head: list[Any] = ["Fold", "Searched on", "Tested on"]
    head += [
        Cell(p, kind="num" if folds[p].dtype.is_numeric() else "", tag="th", title=_hint(p, varied)) for p in params
    ]
    for _ in sided:
        head += [Cell("in", kind="num side", tag="th"), Cell("out", kind="num", tag="th")]
    head += [Cell(_SHORT[n], kind="num side", tag="th") for n in single]
    group = [Cell("", tag="th", span=3 + len(params)), *(Cell(label(n), kind="side", tag="th", span=2) for n in sided)]
    group += [Cell("Out of sample", kind="side", tag="th", span=len(single))] if single else []
    brief = length >= _DAYS_ONLY
    rows = []
    for row in folds.iter_rows(named=True):
        cells: list[Any] = [str(row["fold"]), *(_window(row, part, brief) for part in ("train", "test"))]
        if row.get("error") is not None:
            width = len(params) + 2 * len(sided) + len(single)
            text = Html("<strong>Failed.</strong> {}").format(row["error"])
            rows.append([*cells, Cell(text, kind="failed", span=width)])
            continue
        cells += [Cell(significant(row[p]), kind="num" if folds[p].dtype.is_numeric() else "") for p in params]
        for name in sided:
            cells.append(Cell(metric(name, row[f"is_{name}"]), kind="num side"))
            cells.append(_outcome(name, row[f"oos_{name}"]))
        cells += [_outcome(name, row[f"oos_{name}"], kind="num side") for name in single]
        rows.append(cells)
    return table(head, rows, kind="folds", caption="Folds", group=group)


def _hint(name: str, varied: set[str]) -> str:
    return "searched" if name in varied else "fixed"


def _window(row: dict[str, Any], part: str, brief: bool) -> Cell:
    """From when to when, the days alone where windows are long; the full stamps are its title."""
    stamps = [moment(row[f"{part}_{edge}"]) for edge in ("start", "end")]
    shown = [stamp[:10] for stamp in stamps] if brief else stamps
    return Cell(" to ".join(shown), kind="window", title=" to ".join(stamps))


def _outcome(name: str, value: Any, kind: str = "num") -> Cell:
    signed = name in ("sharpe_ratio", "annual_return", "total_return", "sortino_ratio", "calmar_ratio")
    tone = " lost" if signed and value is not None and value < 0 else ""
    return Cell(metric(name, value), kind=kind + tone)


def is_oos_scatter(wf: Any, *, metric: str | None = None, height: int = 340) -> Any:
    """In-sample against out-of-sample value of a metric, one point per fold; on the diagonal nothing was lost.

    Parameters
    ----------
    wf : walk-forward
    metric : str, optional
        The metric that ranks trials if not given.
    """
    from bokeh.core.properties import value
    from bokeh.models.ranges import Range1d
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, FONT, add_hover, add_legend, add_rule, make_figure

    name = metric or wf.spec.selection.ranking
    good = done(wf.folds)
    x, y = numbers(good, f"is_{name}"), numbers(good, f"oos_{name}")
    both = np.isfinite(x) & np.isfinite(y)
    fold = good["fold"].cast(pl.String).to_numpy()
    source = ColumnDataSource({"x": x[both], "y": y[both], "fold": fold[both]})
    across, along = _span(x[both]), _span(y[both])
    fig = make_figure(
        height=height,
        drag="both",
        label=f"{label(name)} out of sample",
        x_range=Range1d(start=across[0], end=across[1]),
        y_range=Range1d(start=along[0], end=along[1]),
    )
    fig.xaxis.axis_label = f"{label(name)} in sample"
    add_rule(fig, 0)
    add_rule(fig, 0, dimension="height")
    ends = [min(across[0], along[0]), max(across[1], along[1])]
    equal = fig.line(ends, ends, color=COLOR["muted"], dash="dashed", width=1)
    points = fig.scatter(
        "x", "y", source=source, size=10, fill_color=COLOR["strategy"], fill_alpha=0.75, line_color=COLOR["surface"]
    )
    if both.sum() <= 40:
        fig.text(
            "x", "y", text="fold", source=source, x_offset=8, y_offset=-4, text_font=value(FONT), text_font_size="10px",
            text_color=COLOR["muted"],
        )  # fmt: skip
    add_legend(fig, [("A fold", [points]), ("Nothing lost", [equal])])
    add_hover(fig, [points], [("Fold", "@fold"), ("In sample", "@x{0.00}"), ("Out of sample", "@y{0.00}")])
    return fig


def _span(values: Any) -> tuple[float, float]:
    """Range that holds all values and zero, with a margin."""
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    margin = 0.08 * ((high - low) or 1.0)
    return low - margin, high + margin
