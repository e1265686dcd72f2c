"""Profit by part: one bar per fold or month, in log returns, which add up to the result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro._core.formatting import label, number, percent


def concentration_figure(found: Any, by: str = "fold", *, height: int = 220) -> Any:
    """Log return of each part as a bar.

    Parameters
    ----------
    found : Concentration
    by : {"fold", "month", "side"}
    height : int [px]
    """
    from bokeh.models.ranges import Range1d
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, add_hover, add_rule, make_figure, number_axis, plain

    table = found.by(by)
    if by == "fold":  # parts are text; folds count
        table = table.sort(table["part"].cast(int))
    values, names = table["log_return"].to_numpy(), [plain(part) for part in table["part"]]
    span: Any = Range1d
    fig = make_figure(height=height, label="Log return", x_range=span(start=-0.6, end=len(names) - 0.4))
    fig.xaxis.axis_label = label(by)
    number_axis(fig.yaxis[0])
    source = ColumnDataSource(
        {
            "x": np.arange(len(names)),
            "top": values,
            "part": names,
            "color": [COLOR["gain"] if v >= 0 else COLOR["loss"] for v in values],
            "trades": [f"{count:,}" for count in table["trades"]],
            "shown": [number(v, 3) for v in values],
            "share": [percent(v) for v in table["share"]],
        }
    )
    bars = fig.vbar("x", width=0.7, top="top", color="color", source=source)
    add_rule(fig, 0)
    add_hover(fig, [bars], [(label(by), "@part"), ("Log return", "@shown"), ("Share", "@share"), ("Trades", "@trades")])
    every = max(1, math.ceil(len(names) / (4 if by == "month" else 8)))
    fig.xaxis.ticker = list(range(0, len(names), every))
    fig.xaxis.major_label_overrides = {i: names[i] for i in range(0, len(names), every)}
    return fig
