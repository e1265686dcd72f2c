"""Regimes drawn: the price coloured by its state, and the probabilities of the states below it."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models.ranges import Range1d
from bokeh.models.sources import ColumnDataSource

from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import (
    COLOR,
    OVERLAYS,
    add_hover,
    add_legend,
    add_rule,
    make_figure,
    number_axis,
    percent_axis,
)
from maestro.walkforward.columns import timestamps_ms

_LEFT = 62
_CALM_TO_WILD = (COLOR["strategy"], COLOR["insample"], COLOR["loss"], *OVERLAYS)


def state_color(state: int) -> str:
    """Colour of a state, the calmest first."""
    return str(_CALM_TO_WILD[state % len(_CALM_TO_WILD)])


def regime_figure(history: Any, *, height: int = 300) -> Any:
    """Price over time, coloured by the state of each bar; below it the filtered probability of each state.

    Parameters
    ----------
    history : RegimeHistory
    height : int [px]
        Of the upper figure; the lower one has half of it.

    Returns
    -------
    bokeh layout
        Dotted lines mark the bars from which a new fit is used. Bars of the first training window have no state.
    """
    bars, states = history.bars, history.settings.states
    close, time = bars.close, timestamps_ms(bars.to_frame()["timestamp"])
    log = close.max() / close.min() >= LOG_FROM
    name = "Close, log scale" if log else "Close"
    top = make_figure(height=height, x="datetime", y="log" if log else "auto", drag="x", label=name)
    top.min_border_left = _LEFT
    number_axis(top.yaxis[0])
    rows = thin(close, history.state.astype(float))
    whole = ColumnDataSource({"time": time[rows], "close": close[rows], "state": history.state[rows]})
    base = top.line("time", "close", source=whole, color=COLOR["benchmark"], width=1.0)
    items: list[tuple[str, list[Any]]] = []
    for k in range(states):
        mine = history.state[rows] == k
        # A line from each bar of the state to the next one, broken elsewhere.
        shown = mine | np.concatenate(([False], mine[:-1]))
        source = ColumnDataSource({"time": time[rows], "close": np.where(shown, close[rows], np.nan)})
        items.append((f"State {k}", [top.line("time", "close", source=source, color=state_color(k), width=1.8)]))
    add_legend(top, items)
    add_hover(
        top, [base], [("", "@time{%F %H:%M} UTC"), ("Close", "@close{0,0.00}"), ("State", "@state")],
        formatters={"@time": "datetime"}, mode="vline",
    )  # fmt: skip
    share: Any = Range1d
    low = make_figure(
        height=height // 2, x="datetime", drag="x", label="Probability", x_range=top.x_range,
        y_range=share(start=-0.03, end=1.03),
    )  # fmt: skip
    low.min_border_left = _LEFT
    percent_axis(low.yaxis[0])
    rows = thin(*(np.nan_to_num(history.probabilities[:, k]) for k in range(states)))
    lower: dict[str, Any] = {"time": time[rows]}
    lower |= {f"p{k}": history.probabilities[rows, k] for k in range(states)}
    shared = ColumnDataSource(lower)
    lines = [low.line("time", f"p{k}", source=shared, color=state_color(k), width=1.4) for k in range(states)]
    add_hover(
        low, lines[:1], [("", "@time{%F %H:%M} UTC"), *((f"State {k}", f"@p{k}{{0 %}}") for k in range(states))],
        formatters={"@time": "datetime"}, mode="vline",
    )  # fmt: skip
    for index in history.used_from:
        for fig in (top, low):
            add_rule(fig, float(time[int(index)]), dimension="height", dash="dotted")
    return column(top, low, sizing_mode="stretch_width")
