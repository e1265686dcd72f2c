"""Costs paid out of sample: fees, slippage and funding, compared with the profit before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maestro._core.formatting import NONE, compact, known, money, percent
from maestro.metrics import costs_paid
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import table
from maestro.walkforward.result import WalkForward

if TYPE_CHECKING:
    from bokeh.plotting import figure


def cost_table(wf: WalkForward) -> Html:
    """Costs one under the other, each with its share of the profit before costs."""
    paid = costs_paid(wf)
    gross = paid.gross

    def share(value: float) -> str:
        return percent(value / gross) if known(value) and gross > 0 else NONE

    slippage = money(-paid.slippage, sign=True) if known(paid.slippage) else "not recorded"
    rows = [
        ("Profit before costs", money(gross), share(gross)),
        ("Fees", money(-paid.fees, sign=True), share(paid.fees)),
        ("Slippage", slippage, share(paid.slippage)),
        ("Funding", money(-paid.funding, sign=True), share(paid.funding)),
        ("Profit after costs", money(paid.net), share(paid.net)),
    ]
    return table(
        ["", "Amount", "Of profit before costs"],
        rows,
        numeric=(1, 2),
        kind="plain last",
        caption="Costs paid, added over the folds",
    )


def costs_figure(wf: WalkForward) -> figure:
    """Steps from the profit before costs down to what was left."""
    from bokeh.core.properties import value
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, FONT, add_hover, add_rule, make_figure, number_axis

    paid = costs_paid(wf)
    steps = [("Before", paid.gross), ("Fees", -paid.fees)]
    if known(paid.slippage):
        steps.append(("Slippage", -paid.slippage))
    steps += [("Funding", -paid.funding), ("After", paid.net)]
    names = [name for name, _ in steps]
    amounts = np.array([value for _, value in steps])
    running = np.cumsum(amounts[:-1])
    bottom = np.concatenate(([0.0], running[:-1], [0.0]))
    top = np.concatenate((running, [paid.net]))
    ends = [COLOR["strategy"] if v >= 0 else COLOR["loss"] for v in (paid.gross, paid.net)]
    color = [ends[0], *(COLOR["loss"] if v < 0 else COLOR["gain"] for v in amounts[1:-1]), ends[1]]
    source = ColumnDataSource(
        {
            "name": names,
            "top": top,
            "bottom": bottom,
            "color": color,
            "label_at": np.maximum(top, bottom),
            "amount": [money(v, sign=True) for v in amounts],
            "short": [compact(v) for v in amounts],
        }
    )
    fig = make_figure(height=240, x_range=names)
    bars = fig.vbar("name", width=0.6, top="top", bottom="bottom", color="color", source=source)
    fig.text(
        "name", "label_at", text="short", source=source, text_align="center", text_baseline="bottom", y_offset=-3,
        text_color=COLOR["ink"], text_font=value(FONT), text_font_size="11px",
    )  # fmt: skip
    add_rule(fig, 0)
    add_hover(fig, [bars], [("", "@name"), ("Amount", "@amount")])
    number_axis(fig.yaxis, "0.[00]a")
    fig.y_range.range_padding = 0.15
    return fig
