"""Pareto front of a fold: the trials that no other trial beats in two metrics, and where the choice stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import label, metric
from maestro.errors import SettingsError, nearest
from maestro.walkforward.columns import metric_names
from maestro.walkforward.selection import pareto_front

_DOTS = 600
"""Trials drawn per fold; those on the front are always drawn."""
SMALLER_IS_BETTER = ("volatility", "turnover", "exposure", "fees", "slippage", "funding", "cut_entries")


def front_metrics(wf: Any) -> tuple[str, str]:
    """Two metrics for the axes: the ranking one and the largest drawdown; the first two of a Pareto selection."""
    first = wf.spec.selection.ranking
    selection = wf.spec.selection
    named = selection.metrics[1:] if selection.kind == "pareto" else ()
    rest = [str(name).removeprefix("-") for name in named]
    others = [name for name in (*rest, "max_drawdown", "annual_return") if name != first]
    return first, others[0]


def front_table(wf: Any, fold: int, metrics: tuple[str, str]) -> pl.DataFrame:
    """Evaluated trials of a fold: trial, both metrics, chosen, front (whether no other trial beats it in both).

    A metric counts the larger the better, except those in `SMALLER_IS_BETTER`.

    Raises
    ------
    SettingsError
        Not two different metrics of the run, or no such fold.
    """
    known = metric_names(wf.folds)
    for name in metrics:
        if name not in known:
            raise SettingsError(f"no metric is called {name!r}; there are: {', '.join(known)}.{nearest(name, known)}")
    if len(metrics) != 2 or metrics[0] == metrics[1]:
        raise SettingsError(
            f"metrics={metrics!r} are not two different metrics; give ('sharpe_ratio', 'max_drawdown')."
        )
    if fold not in wf.folds["fold"].to_list():
        raise SettingsError(f"there is no fold {fold!r}; the folds are 0 to {len(wf.folds) - 1}.")
    part = wf.trials.filter(pl.col("fold") == fold).with_columns(pl.col(name).cast(pl.Float64) for name in metrics)
    part = part.filter(pl.all_horizontal(pl.col(name).is_finite() for name in metrics))
    signs = [-1.0 if name in SMALLER_IS_BETTER else 1.0 for name in metrics]
    table = part.select(metrics).to_numpy() * signs
    front = pareto_front(table) if len(table) else np.zeros(0, np.bool_)
    return part.select("trial", *metrics, "chosen").with_columns(pl.Series("front", front, pl.Boolean))


def pareto_figure(
    wf: Any, fold: int, metrics: tuple[str, str] | None = None, *, height: int = 230, table: Any = None
) -> Any:
    """Trials of a fold by two metrics in sample, the front as a line, and the chosen one as a diamond.

    Parameters
    ----------
    wf : WalkForward
    fold : int
    metrics : two names, optional
        Any metrics of the run; by default the ranking one and the largest drawdown, or those of a Pareto selection.
    height : int [px]
    table : polars frame, optional
        `front_table` of the same fold and metrics, if it is there already.
    """
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, add_hover, add_legend, make_figure, number_axis, percent_axis

    x, y = metrics or front_metrics(wf)
    table = front_table(wf, fold, (x, y)) if table is None else table
    fig = make_figure(height=height, drag="both", label=label(y))
    fig.xaxis.axis_label = label(x)
    for name, axis in ((x, fig.xaxis[0]), (y, fig.yaxis[0])):
        percent_axis(axis) if metric(name, 0.5).endswith("%") else number_axis(axis)
    others = table.filter(~pl.col("front"))
    keep = np.unique(np.linspace(0, len(others) - 1, min(len(others), _DOTS)).round().astype(int))
    others, front = others[keep] if len(others) else others, table.filter(pl.col("front")).sort(x)

    def source(rows: pl.DataFrame) -> Any:
        shown = {f"shown_{axis}": [metric(name, v) for v in rows[name]] for axis, name in (("x", x), ("y", y))}
        return ColumnDataSource(
            {"x": rows[x].to_list(), "y": rows[y].to_list(), "trial": rows["trial"].to_list(), **shown}
        )

    dots = fig.scatter("x", "y", source=source(others), size=4, color=COLOR["trial"], alpha=0.6, line_color=None)
    on_front = source(front)
    line = fig.line("x", "y", source=on_front, color=COLOR["insample"], width=1.6)
    marks = fig.scatter("x", "y", source=on_front, size=6, color=COLOR["insample"], line_color=None)
    chosen = fig.scatter(
        "x", "y", source=source(table.filter(pl.col("chosen"))), marker="diamond", size=14,
        fill_color=COLOR["strategy"], line_color=COLOR["surface"],
    )  # fmt: skip
    add_legend(fig, [("Trials", [dots]), ("Front", [line, marks]), ("Chosen", [chosen])])
    add_hover(fig, [marks, chosen, dots], [("Trial", "@trial"), (label(x), "@shown_x"), (label(y), "@shown_y")])
    return fig


def front_words(table: pl.DataFrame) -> str:
    """Number of trials on the front, and whether the chosen one is among them."""
    if not len(table):
        return "no trial with both metrics"
    chosen = table.filter(pl.col("chosen"))
    choice = "" if not len(chosen) else ", the choice is on it" if chosen["front"][0] else ", the choice is not on it"
    return f"{int(table['front'].sum()):,} of {len(table):,} on the front{choice}"
