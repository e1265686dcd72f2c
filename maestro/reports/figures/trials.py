"""The distribution of each fold's trials, the rank of the chosen one, and its result out of sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from maestro._core.formatting import label
from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import table
from maestro.walkforward.columns import numbers

STATES = {
    "complete": "evaluated",
    "infeasible": "broke a constraint",
    "undefined": "had no defined ranking metric",
    "failed": "failed",
}
_DOTS = 2_000


def trial_distribution(wf: Any, *, metric: str | None = None, height: int = 340) -> Any:
    """Ranking metric of every trial, one column of dots per fold, with its quartiles.

    The chosen trial is a diamond; a circle shows the same metric of its parameters out of sample. Of more than
    2,000 trials every fold shows an even share, its extremes included; the boxes are of all of them. Whiskers
    reach from the 5th to the 95th percentile.
    """
    from bokeh.models.ranges import Range1d
    from bokeh.models.sources import ColumnDataSource

    from maestro.reports.figures.theme import COLOR, add_hover, add_legend, add_rule, make_figure

    name = metric or wf.spec.selection.ranking
    ahead = -1.0 if metric is None and wf.spec.selection.lower_is_better else 1.0
    folds, trials = wf.folds, wf.trials
    labels = folds["fold"].to_list()
    most = max(2, _DOTS // max(len(labels), 1))
    dots: dict[str, Any] = {"x": [], "y": [], "fold": []}
    boxes: dict[str, Any] = {k: [] for k in ("x", "low", "q1", "median", "q3", "high")}
    chosen: dict[str, Any] = {k: [] for k in ("x", "y", "after", "fold", "rank")}
    after = numbers(folds, f"oos_{name}")
    finite = trials.with_columns(pl.col(name).cast(pl.Float64)).filter(pl.col(name).is_finite())
    parts = finite.partition_by("fold", as_dict=True)
    for position, fold in enumerate(labels):
        part = parts.get((fold,))
        if part is None:
            continue
        values = np.sort(part[name].to_numpy())
        shown = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int))]
        # Golden-ratio jitter: even, and the same every time.
        spread = (np.arange(len(shown)) * 0.6180339887 % 1.0 - 0.5) * 0.5
        dots["x"] += (position + spread).tolist()
        dots["y"] += shown.tolist()
        dots["fold"] += [str(fold)] * len(shown)
        quantiles = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        for key, value in zip(boxes, [position, *quantiles], strict=True):
            boxes[key].append(float(value))
        picked = part.filter(pl.col("chosen"))[name]
        if len(picked):
            chosen["x"].append(position)
            chosen["y"].append(float(picked[0]))
            chosen["after"].append(after[position])
            chosen["fold"].append(str(fold))
            chosen["rank"].append(f"{int((ahead * values > ahead * picked[0]).sum()) + 1:,} of {len(values):,}")
    fig = make_figure(
        height=height, drag="both", label=label(name), x_range=Range1d(start=-0.7, end=max(len(labels) - 0.3, 0.7))
    )
    fig.xaxis.axis_label = "Fold"
    add_rule(fig, 0)
    many = len(labels) > 40
    cloud = fig.scatter(
        "x", "y", source=ColumnDataSource(dots), size=3, color=COLOR["trial"], alpha=0.45, line_color=None
    )
    box = ColumnDataSource(boxes)
    fig.segment("x", "low", "x", "high", source=box, color=COLOR["muted"], width=1)
    body = fig.vbar("x", width=0.56, bottom="q1", top="q3", source=box, fill_color=COLOR["trial"], fill_alpha=0.3,
                    line_color=COLOR["muted"])  # fmt: skip
    fig.rect(
        "x", "median", width=0.56, height=2, height_units="screen", source=box, color=COLOR["muted"], line_color=None
    )
    source = ColumnDataSource(chosen)
    fig.segment("x", "y", "x", "after", source=source, color=COLOR["strategy"], width=1, line_dash="dotted")
    marks: dict[str, Any] = {"source": source, "line_color": COLOR["surface"]}
    picks = fig.scatter("x", "y", marker="diamond", size=9 if many else 14, fill_color=COLOR["insample"], **marks)
    later = fig.scatter("x", "after", size=6 if many else 9, fill_color=COLOR["strategy"], **marks)
    add_legend(fig, [("Trials", [cloud, body]), ("Chosen", [picks]), ("Out of sample", [later])])
    add_hover(
        fig,
        [picks],
        [("Fold", "@fold"), ("Chosen, in sample", "@y{0.00}"), ("Out of sample", "@after{0.00}"), ("Rank", "@rank")],
    )
    every = max(1, math.ceil(len(labels) / (12 if len(labels) < 100 else 8)))
    fig.xaxis.ticker = list(range(0, len(labels), every))
    fig.xaxis.major_label_overrides = {i: str(labels[i]) for i in range(0, len(labels), every)}
    return fig


def trial_states(wf: Any) -> Html:
    """Number of trials by state, over all folds, with the most frequent errors."""
    trials = wf.trials
    if "state" not in trials.columns or not len(trials):
        return Html("")
    counts = dict(trials.group_by("state").len().iter_rows())
    rows = []
    for state in [*STATES, *(s for s in counts if s not in STATES)]:
        if state not in counts:
            continue
        part = trials.filter(pl.col("state") == state)
        errors = part["error"].drop_nulls() if "error" in part.columns else pl.Series([], dtype=pl.String)
        common = errors.cast(pl.String).value_counts(sort=True) if len(errors) else None
        example = "" if common is None else str(common[0, 0])
        rows.append(
            (f"{state} ({STATES.get(state, state)})" if state in STATES else state, f"{counts[state]:,}", example)
        )
    return table(["State", "Trials", "Commonest message"], rows, numeric=(1,), kind="plain", caption="States of trials")
