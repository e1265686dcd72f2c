"""Figures of robustness: neighbours of the choice, windows, costs, and disturbed bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from bokeh.core.properties import value
from bokeh.layouts import gridplot
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource

from maestro._core.formatting import NONE, known, label, metric, number, percent, significant
from maestro.reports.figures.theme import COLOR, FONT, add_hover, add_legend, add_rule, make_figure, plain
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import table

if TYPE_CHECKING:
    from maestro.validation.robustness import CostMap, GeometryMap, Neighbourhood, Perturbations

_STRONGEST = 0.62
"""Opacity of the largest value of a map, with which text on it can still be read in light and dark."""
_CELL = 34
"""Height of a map's row [px]."""
KINDS = {"as it was": "As it was", "delay": "Late by", "missing": "Missing bars", "noise": "Noise on prices"}


def neighbourhood_figure(found: Neighbourhood) -> Any:
    """Metric in and out of sample along each parameter, and over the first two of them together."""
    return _side_by_side(neighbourhood_parts(found))


def neighbourhood_parts(found: Neighbourhood) -> list[Any]:
    """The figures of `neighbourhood_figure`, one by one."""
    figures = [_profile(found, name) for name in found.names]
    if len(found.names) > 1:
        figures += [_pair_map(found, "in_sample"), _pair_map(found, "out_of_sample")]
    return figures


def _profile(found: Neighbourhood, name: str) -> Any:
    rows = found.profile(name)
    fig = make_figure(height=220, label=label(found.metric))
    steps = rows[name].to_numpy().astype(float)
    items = []
    for column, words, color in (
        ("in_sample", "In sample", COLOR["insample"]), ("out_of_sample", "Out of sample", COLOR["strategy"]),
    ):  # fmt: skip
        source = ColumnDataSource(
            {
                "x": steps,
                "y": rows[column].to_numpy(),
                "step": [f"{int(step):+d}" if step else "the choice" for step in steps],
                "folds": rows["folds"].to_list(),
            }
        )
        line = fig.line("x", "y", source=source, color=color, width=1.8)
        dots = fig.scatter("x", "y", source=source, size=7, color=color)
        rest = [("Steps", "@step"), (label(found.metric), "@y{0.00}"), ("Folds", "@folds")]
        add_hover(fig, [dots], [("", words), *rest])
        items.append((words, [line, dots]))
    add_rule(fig, 0)
    add_rule(fig, 0, dimension="height", dash="dashed")
    add_legend(fig, items)
    fig.xaxis.ticker = [int(step) for step in steps]
    size = found.sizes[name]
    fig.xaxis.axis_label = f"{plain(name)}, steps of {significant(round(size, 6))}"
    return fig


def _pair_map(found: Neighbourhood, column: str) -> Any:
    across, down = found.names[:2]
    others = [pl.col(name) == 0 for name in found.names[2:]]
    rows = found.table.filter(*others) if others else found.table
    steps = list(range(-found.steps, found.steps + 1))
    grid = _grid(rows, across, down, column, steps, steps)
    words = "In sample" if column == "in_sample" else "Out of sample"
    fig = _map(
        grid, [f"{k:+d}" if k else "0" for k in steps], [f"{k:+d}" if k else "0" for k in steps],
        lambda v: number(v), f"{plain(across)}, steps", f"{plain(down)}, steps",
    )  # fmt: skip
    _frame(fig, found.steps, found.steps)
    return _titled(fig, f"{words}: {label(found.metric)}, mean over the folds")


def geometry_figure(found: GeometryMap) -> Any:
    """Sharpe ratio over the lengths of the windows, and every geometry with its offset."""
    return _side_by_side(geometry_parts(found))


def geometry_parts(found: GeometryMap) -> list[Any]:
    """The figures of `geometry_figure`, one by one."""
    rows = found.grid()
    trains, tests = sorted(rows["train"].unique()), sorted(rows["test"].unique())
    grid = _grid(rows, "train", "test", "median", trains, tests)
    fig = _map(
        grid, [f"{n:,}" for n in trains], [f"{n:,}" for n in tests], lambda v: number(v), "Training bars", "Test bars"
    )
    if found.train in trains and found.test in tests:
        _frame(fig, trains.index(found.train), tests.index(found.test))
    _titled(fig, "Sharpe ratio on the stretch all tested, middle of the offsets")
    return [fig, _strip(found, trains)]


def _strip(found: GeometryMap, trains: Sequence[int]) -> Any:
    rows = found.table.filter(pl.col("common_sharpe_ratio").is_not_nan())
    tests = sorted(rows["test"].unique())
    fig = make_figure(height=220, label="Sharpe ratio", x_range=Range1d(start=-0.6, end=len(trains) - 0.4))
    colors = ("strategy", "overlay1", "overlay2", "insample", "overlay4", "overlay3", "gain", "trial")
    items = []
    for k, test in enumerate(tests):
        part = rows.filter(pl.col("test") == test)
        shift = (k - (len(tests) - 1) / 2) * 0.2
        source = ColumnDataSource(
            {
                "x": [trains.index(one) + shift for one in part["train"]],
                "y": part["common_sharpe_ratio"].to_numpy(),
                "train": part["train"].to_list(), "offset": part["offset"].to_list(), "folds": part["folds"].to_list(),
                "total": [percent(one) for one in part["common_total_return"]],
            }
        )  # fmt: skip
        dots = fig.scatter("x", "y", source=source, size=8, color=COLOR[colors[k % len(colors)]], alpha=0.8)
        rest = [
            ("Begun later by", "@offset bars"),
            ("Folds", "@folds"),
            ("Sharpe ratio", "@y{0.00}"),
            ("Return", "@total"),
        ]
        add_hover(fig, [dots], [("Training", "@train bars"), ("Test", f"{test:,} bars"), *rest])
        items.append((f"test {test:,}", [dots]))
    add_rule(fig, 0)
    add_legend(fig, items)
    _named(fig.xaxis, [f"{n:,}" for n in trains])
    fig.xaxis.axis_label = "Training bars"
    return _titled(fig, "Every geometry, its offsets one dot each")


def cost_figure(found: CostMap) -> Any:
    """Total return over fee and slippage with the line where it is zero, and over funding."""
    return _side_by_side(cost_parts(found))


def cost_parts(found: CostMap) -> list[Any]:
    """The figures of `cost_figure`, one by one."""
    fees, slippages = sorted(found.table["fee"].unique()), sorted(found.table["slippage"].unique())
    grid = _grid(found.table, "fee", "slippage", "total_return", fees, slippages)
    fig = _map(grid, [_cost(v) for v in fees], [_cost(v) for v in slippages], _short, "Fee per side", "Slippage")
    _zero_line(fig, grid)
    _frame(fig, fees.index(found.fee), slippages.index(found.slippage))
    _titled(fig, "Total return out of sample; dashed: break-even, frame: the run")
    rows = found.funding
    if not len(rows):
        return [fig]
    below = make_figure(height=220, label="Total return")
    source = ColumnDataSource(
        {
            "x": rows["funding"].to_numpy() * 100,
            "y": rows["total_return"].to_numpy() * 100,
            "shown": [percent(v) for v in rows["total_return"]],
            "rate": [percent(v, 3) for v in rows["funding"]],
        }
    )
    below.line("x", "y", source=source, color=COLOR["strategy"], width=1.8)
    dots = below.scatter("x", "y", source=source, size=7, color=COLOR["strategy"])
    add_hover(below, [dots], [("Every 8 h", "@rate"), ("Total return", "@shown")])
    add_rule(below, 0)
    if known(found.break_even_funding):
        add_rule(below, found.break_even_funding * 100, dimension="height", role="loss", dash="dashed")
    below.xaxis.axis_label = "Funding every 8 h [%], longs pay a positive one"
    below.yaxis.axis_label = "Total return [%]"
    return [fig, _titled(below, "At the run's fee and slippage, other funding")]


def perturbation_figure(found: Perturbations) -> Any:
    """Sharpe ratio out of sample under each disturbance: every draw a dot, 5 % to 95 % a line, the middle a mark."""
    rows = found.summary.to_dicts()
    names = [disturbance(row) for row in rows]
    fig = make_figure(
        height=90 + 30 * len(rows), y_range=Range1d(start=len(rows) - 0.4, end=-0.6), label="",
    )  # fmt: skip
    place = {(row["kind"], row["level"]): k for k, row in enumerate(rows)}
    draws = found.table.filter(pl.col("sharpe_ratio").is_not_nan())
    rng = np.random.default_rng(0)  # only moves the dots apart
    heights = np.array([place[key] for key in zip(draws["kind"], draws["level"], strict=True)], float)
    many = np.array([rows[int(k)]["repetitions"] > 1 for k in heights], bool)
    fig.scatter(
        draws["sharpe_ratio"].to_numpy()[many], (heights + rng.uniform(-0.22, 0.22, len(heights)))[many], size=4,
        color=COLOR["trial"], alpha=0.45,
    )  # fmt: skip
    good = [(k, row) for k, row in enumerate(rows) if known(row["sharpe_50"])]
    source = ColumnDataSource(
        {
            "y": [k for k, _ in good],
            "low": [row["sharpe_5"] for _, row in good],
            "middle": [row["sharpe_50"] for _, row in good],
            "high": [row["sharpe_95"] for _, row in good],
            "name": [names[k] for k, _ in good],
            "total": [percent(row["total_return"]) for _, row in good],
            "positive": [percent(row["positive"], 0) for _, row in good],
            "color": [COLOR["strategy"] if k else COLOR["ink"] for k, _ in good],
        }
    )
    fig.segment("low", "y", "high", "y", source=source, color=COLOR["strategy"], line_width=2)
    marks = fig.scatter("middle", "y", source=source, size=9, color="color")
    add_hover(
        fig, [marks],
        [("", "@name"), ("Sharpe ratio", "@middle{0.00} (@low{0.00} to @high{0.00})"), ("Return", "@total"),
         ("Above 0", "@positive of the draws")],
    )  # fmt: skip
    add_rule(fig, 0, dimension="height")
    if known(found.base["sharpe_ratio"]):
        add_rule(fig, found.base["sharpe_ratio"], dimension="height", role="muted", dash="dashed")
    _named(fig.yaxis, names)
    fig.ygrid.visible = False
    fig.xgrid.grid_line_color = COLOR["grid"]
    fig.xaxis.axis_label = "Sharpe ratio out of sample"
    return fig


# -- tables --------------------------------------------------------------------------------------


def neighbourhood_table(found: Neighbourhood) -> Html:
    """The share of the choice's metric that its neighbours keep, fold by fold."""
    rows = []
    for row in found.folds.to_dicts():
        figures = [metric(found.metric, row[name]) for name in ("chosen", "median", "worst")]
        rows.append((str(row["fold"]), *figures, percent(row["kept"], 0), f"{row['neighbours']:,}"))
    heads = ["Fold", "Chosen", "Neighbours, middle", "Worst", "Kept", "Neighbours"]
    return table(heads, rows, numeric=range(1, 6), caption="What the neighbours of each fold's choice keep in sample")


def geometry_table(found: GeometryMap) -> Html:
    """Lengths of windows with the Sharpe ratio over their offsets."""
    rows = [
        (f"{row['train']:,}", f"{row['test']:,}", number(row["low"]), number(row["median"]), number(row["high"]))
        for row in found.grid().to_dicts()
    ]
    heads = ["Training bars", "Test bars", "Lowest Sharpe ratio", "Middle", "Highest"]
    return table(heads, rows, numeric=range(5), caption="Sharpe ratio on the common stretch by lengths of windows")


def break_even_table(found: CostMap) -> Html:
    """Each cost and its break-even."""
    rows = []
    for name, own, at in (
        ("Fee per side", percent(found.fee, 3), found.break_even_fee),
        ("Slippage", percent(found.slippage, 3), found.break_even_slippage),
        ("Funding every 8 h", "as in the bars", found.break_even_funding),
    ):
        shown = (
            "no profit even at 0"
            if math.isnan(at)
            else "beyond what was looked at"
            if math.isinf(at)
            else percent(at, 3)
        )
        rows.append((name, own, shown))
    return table(["Cost", "In the run", "Breaks even at"], rows, numeric=(1, 2), caption="Where each cost breaks even")


def perturbation_table(found: Perturbations) -> Html:
    """Every disturbance with the Sharpe ratio and return that were left."""
    rows = []
    for row in found.summary.to_dicts():
        wide = row["repetitions"] > 1
        between = f"{number(row['sharpe_5'])} to {number(row['sharpe_95'])}" if wide else NONE
        above = percent(row["positive"], 0) if wide else NONE
        middle, total = number(row["sharpe_50"]), percent(row["total_return"])
        rows.append((disturbance(row), middle, between, total, above, number(row["num_trades"], 0)))
    heads = ["", "Sharpe ratio", "5 % to 95 %", "Total return", "Draws above 0", "Trades"]
    return table(heads, rows, numeric=range(1, 6), caption="What is left under each disturbance")


def disturbance(row: dict[str, Any]) -> str:
    """Return the label of a disturbance."""
    kind, level = row["kind"], row["level"]
    if level is None:
        return KINDS[kind]
    if kind == "delay":
        return f"{KINDS[kind]} {int(level)} bar{'s' if level > 1 else ''}"
    return f"{KINDS[kind]}, {percent(level, 0)}{' of a bar’s volatility' if kind == 'noise' else ''}"


# -- maps ----------------------------------------------------------------------------------------


def _grid(rows: pl.DataFrame, x: str, y: str, column: str, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """Values of a table as a matrix, one row per value of `y`; NaN where there is none."""
    grid = np.full((len(ys), len(xs)), np.nan)
    for a, b, found in rows.select(x, y, column).iter_rows():
        if a in xs and b in ys and found is not None:
            grid[ys.index(b), xs.index(a)] = found
    return grid


def _map(
    grid: Any, xs: Sequence[str], ys: Sequence[str], text: Callable[[float], str], x_label: str, y_label: str
) -> Any:
    """Cells coloured by sign and size with their values in them; the colours are the theme's, so that it can change."""
    down, across = np.indices(grid.shape)
    values = grid.ravel()
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    share = np.nan_to_num(np.abs(values) / (largest or 1.0))
    source = ColumnDataSource(
        {
            "x": across.ravel(),
            "y": down.ravel(),
            "color": [COLOR["gain"] if v > 0 else COLOR["loss"] if v < 0 else COLOR["shade"] for v in values],
            "alpha": np.where(np.isfinite(values), 0.06 + (_STRONGEST - 0.06) * share, 0.0),
            "text": [text(float(v)) if math.isfinite(v) else "" for v in values],
            "xs": [xs[k] for k in across.ravel()],
            "ys": [ys[k] for k in down.ravel()],
        }
    )
    fig = make_figure(
        height=70 + _CELL * len(ys), x_range=Range1d(start=-0.5, end=len(xs) - 0.5),
        y_range=Range1d(start=-0.5, end=len(ys) - 0.5), label=y_label,
    )  # fmt: skip
    cells = fig.rect("x", "y", 0.96, 0.94, source=source, fill_color="color", fill_alpha="alpha", line_color=None)
    fig.text(
        "x", "y", text="text", source=source, text_align="center", text_baseline="middle",
        text_color=COLOR["ink"], text_font=value(FONT), text_font_size="11px",
    )  # fmt: skip
    add_hover(fig, [cells], [(x_label, "@xs"), (y_label, "@ys"), ("", "@text")])
    _named(fig.xaxis, xs)
    _named(fig.yaxis, ys)
    fig.xaxis.axis_label = x_label
    fig.ygrid.visible = False
    return fig


def _frame(fig: Any, x: float, y: float) -> None:
    """Mark one cell."""
    fig.rect([x], [y], 0.96, 0.94, fill_color=None, line_color=COLOR["ink"], line_width=2)


def _zero_line(fig: Any, grid: Any) -> None:
    """Steps between the cells of a map where its values are above zero below, and not above zero above."""
    edges = [np.flatnonzero(~(column > 0)) for column in grid.T]
    heights = [(float(rows[0]) if len(rows) else float(grid.shape[0])) - 0.5 for rows in edges]
    xs = [x for k in range(len(heights)) for x in (k - 0.5, k + 0.5)]
    ys = [y for y in heights for _ in range(2)]
    if max(heights) > -0.5 and min(heights) < grid.shape[0] - 0.5:
        fig.line(xs, ys, color=COLOR["ink"], width=2.2, line_dash="dashed")


def _named(axis: Any, names: Sequence[str]) -> None:
    axis.ticker = list(range(len(names)))
    axis.major_label_overrides = dict(enumerate(names))


def _titled(fig: Any, text: str) -> Any:
    fig.title.text = plain(text)
    fig.title.text_font = FONT
    fig.title.text_font_size = "12px"
    fig.title.text_color = COLOR["ink"]
    return fig


def _side_by_side(figures: Sequence[Any]) -> Any:
    columns = 2 if len(figures) > 1 else 1
    return gridplot(list(figures), ncols=columns, sizing_mode="stretch_width", toolbar_location=None)


def _cost(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def _short(fraction: float) -> str:
    return percent(fraction, 0)
