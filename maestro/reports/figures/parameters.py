"""The chosen value of each parameter in each fold, within the bounds of its search."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from bokeh.layouts import column
from bokeh.models.layouts import Column
from bokeh.models.ranges import FactorRange, Range1d
from bokeh.models.sources import ColumnDataSource

from maestro._core.formatting import significant
from maestro.reports.figures.theme import COLOR, FONT, add_hover, make_figure, number_axis, plain
from maestro.validation.robustness.parameter_stability import in_words, movement
from maestro.walkforward.columns import done, search_range, searched


def parameter_figure(wf: Any, name: str, *, height: int = 170, titled: bool = True) -> Any:
    """Chosen value of one parameter, fold by fold; the shaded band is where it was searched.

    Folds that failed have no point, and the line breaks there.
    """
    folds, where = wf.folds, search_range(wf, name)
    position = np.arange(len(folds), dtype=np.float64)
    good = folds["error"].is_null().to_numpy() if "error" in folds.columns else np.ones(len(folds), np.bool_)
    picks = folds[name]
    shown = [significant(value) for value in picks.to_list()]
    common: dict[str, Any] = {"height": height, "x_range": Range1d(start=-0.6, end=max(len(folds) - 0.4, 0.6))}
    if where.options or not picks.dtype.is_numeric():
        known = [*where.options, *picks.drop_nulls().unique(maintain_order=True)]
        options = list(dict.fromkeys(map(plain, known)))
        fig = make_figure(y_range=FactorRange(factors=options), **common)
        values: Any = [plain(v) if ok and v is not None else None for v, ok in zip(picks.to_list(), good, strict=True)]
        kept = [i for i, value in enumerate(values) if value is not None]
        source = ColumnDataSource(
            {
                "x": position[kept],
                "y": [values[i] for i in kept],
                "fold": folds["fold"].cast(pl.String).to_numpy()[kept],
                "shown": [shown[i] for i in kept],
            }
        )
    else:
        numbers = np.where(good, picks.cast(pl.Float64).fill_null(math.nan).to_numpy(), np.nan)
        log = where.log and where.low > 0
        span = np.append(numbers[np.isfinite(numbers)], [v for v in (where.low, where.high) if math.isfinite(v)])
        low, high = (float(span.min()), float(span.max())) if len(span) else (0.0, 1.0)
        if log:
            grow = (high / low) ** 0.08 if high > low else 1.1
            y_range = Range1d(start=low / grow, end=high * grow)
        else:
            margin = 0.08 * ((high - low) or abs(high) or 1.0)
            y_range = Range1d(start=low - margin, end=high + margin)
        fig = make_figure(y="log" if log else "auto", y_range=y_range, **common)
        if where.stated and where.high > where.low:
            fig.hstrip(y0=[where.low], y1=[where.high], fill_color=COLOR["shade"], line_color=None, level="underlay")
        fig.ygrid.visible = False
        source = ColumnDataSource(
            {"x": position, "y": numbers, "fold": folds["fold"].cast(pl.String).to_list(), "shown": shown}
        )
        fig.line("x", "y", source=source, color=COLOR["strategy"], alpha=0.6, width=1.4)
        number_axis(fig.yaxis, "0,0.[0000]")
        fig.yaxis.ticker.desired_num_ticks = 4
    dots = fig.scatter("x", "y", source=source, size=7 if len(folds) <= 60 else 4, color=COLOR["strategy"])
    add_hover(fig, [dots], [("Fold", "@fold"), (plain(name), "@shown")])
    every = max(1, math.ceil(len(folds) / 10))
    fig.xaxis.ticker = [int(i) for i in range(0, len(folds), every)]
    fig.xaxis.major_label_overrides = {int(i): str(folds["fold"][int(i)]) for i in range(0, len(folds), every)}
    if titled:
        words = in_words(movement(done(folds)[name], where))
        fig.title.text = f"{plain(name)} ({words})" if words else plain(name)
        fig.title.text_font = FONT
        fig.title.text_font_size = "12px"
        fig.title.text_color = COLOR["ink"]
    return fig


def parameter_stability(wf: Any) -> Column:
    """All searched parameters one under the other."""
    return column(*(parameter_figure(wf, name) for name in searched(wf)), sizing_mode="stretch_width")
