"""The robustness of a run as one HTML file that needs no network: words, figure and table of each disturbance."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro._core.formatting import label, number, percent, plural
from maestro.errors import SettingsError
from maestro.reports.figures import robustness as drawn
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import Html, render_page
from maestro.reports.output import write_page

if TYPE_CHECKING:
    from maestro.validation.robustness import CostMap, GeometryMap, Neighbourhood, Perturbations

PARTS = ("neighbourhood", "geometry", "costs", "perturbations")
"""Parts of the page, in order."""


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    key: str
    title: str
    words: str
    how: str
    table: Html
    notes: tuple[str, ...] = ()


def measure(
    wf: Any,
    bars: Any = None,
    *,
    parts: tuple[str, ...] = PARTS,
    progress: bool | Callable[[int], None] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Compute the parts of the page: `neighbourhood`, `geometry_map`, `cost_map` and `perturbations` by key.

    `more` (strategy, cancel) goes to each of them.

    Raises
    ------
    SettingsError
        A part that is none, and what the functions raise.
    """
    from maestro.validation import robustness as measured

    functions: dict[str, Any] = {
        "neighbourhood": measured.neighbourhood, "geometry": measured.geometry_map, "costs": measured.cost_map,
        "perturbations": measured.perturbations,
    }  # fmt: skip
    wrong = [part for part in parts if part not in functions]
    if wrong or not parts:
        raise SettingsError(f"{', '.join(wrong) or 'no part'}: the parts are {', '.join(PARTS)}.")
    return {part: functions[part](wf, bars, progress=progress, **more) for part in PARTS if part in parts}


def write_robustness(
    wf: Any, path: str | os.PathLike[str], found: dict[str, Any] | None = None, *, bars: Any = None, **more: Any
) -> Path:
    """Write the page; returns its path.

    Parameters
    ----------
    wf : WalkForward, live or loaded
    path : path of the HTML file
    found : dict, optional
        What `measure` gave; measured here if not given.
    bars : Bars, optional
        Those of the run; loaded again by name if not given.
    **more
        As in `measure`.

    Raises
    ------
    RunError
        The file cannot be written, or the run cannot be taken up again.
    SettingsError, BarsError
    """
    return write_page(path, render(wf, measure(wf, bars, **more) if found is None else found))


def render(wf: Any, found: dict[str, Any]) -> str:
    """HTML text of the page."""
    figures = {part: _FIGURES[part](found[part]) for part in PARTS if part in found}
    places = {f"{part}-{k}": one for part, several in figures.items() for k, one in enumerate(several)}
    bars = wf.spec.bars
    return render_page(
        "robustness.html",
        **page_parts("robustness.css", figures=places),
        strategy=wf.spec.strategy,
        series=wf.spec.series,
        subtitle=[f"run {wf.id}", plural(bars.n, "bar"), plural(len(wf.folds), "fold")],
        sections=sections(found),
        figures={part: range(len(several)) for part, several in figures.items()},
    )


def sections(found: dict[str, Any]) -> list[Section]:
    """Words and table of each part, in the order of the page."""
    return [_SECTIONS[part](found[part]) for part in PARTS if part in found]


def document(one: Any) -> dict[str, Any]:
    """A part as plain values, for a program."""
    plain = {
        name: getattr(one, name) for name in ("kept", "shape", "positive", "spread", "margin") if hasattr(one, name)
    }
    for name, value in vars(one).items():
        plain[name] = value.to_dicts() if hasattr(value, "to_dicts") else value
    if hasattr(one, "summary"):
        plain["summary"] = one.summary.to_dicts()
    return plain


def _neighbourhood(found: Neighbourhood) -> Section:
    sentence = {
        "plateau": "The choices stand on a plateau",
        "slope": "The choices stand on a slope",
        "needle": "The choices are needles",
        "undefined": "What the choices stand on cannot be said",
    }[found.shape]
    name = label(found.metric)
    kept = (
        ""
        if math.isnan(found.kept)
        else f": half of their neighbours keep {percent(found.kept, 0)} of the {name} or more"
    )
    left = (
        f" Of {len(found.table) + found.left_out:,} displacements {len(found.table):,} were drawn."
        if found.left_out
        else ""
    )
    steps = plural(found.steps, "step")
    how = (
        f"Every combination of up to {steps} up and down around each fold's choice, on its training bars (in "
        "sample) and on its test bars (out of sample). Above 75 % kept is a plateau, below 50 % a needle, which "
        f"owes its height to its place.{left}"
    )
    after = (
        ""
        if math.isnan(found.positive)
        else f"; {percent(found.positive, 0)} of the displacements are above 0 out of sample"
    )
    return Section("neighbourhood", "Neighbours", f"{sentence}{kept}{after}.", how, drawn.neighbourhood_table(found))


def _geometry(found: GeometryMap) -> Section:
    low, middle, high = found.spread
    words = (
        f"With other windows the Sharpe ratio out of sample is {number(low)} to {number(high)}, {number(middle)} "
        f"in the middle; {percent(found.positive, 0)} of {len(found.table)} geometries earned."
    )
    how = (
        "The whole walk-forward again, searches included, with training windows of half to twice the run's "
        f"{found.train:,} bars, test windows around its {found.test:,}, begun at other bars; compared on the "
        "stretch that all of them tested. A result that hangs on where the windows lie is luck of the calendar."
    )
    return Section("geometry", "Windows", words, how, drawn.geometry_table(found))


def _costs(found: CostMap) -> Section:
    at = found.break_even_fee
    words = (
        "There is no profit at the run's slippage even without fees."
        if math.isnan(at)
        else f"It is profitable at fees above 5 % per side; the run paid {percent(found.fee, 3)}."
        if math.isinf(at)
        else f"It is profitable up to a fee of {percent(at, 3)} per side; the run paid {percent(found.fee, 3)}."
    )
    how = (
        "The choices as they are, traded at other costs: fee and slippage on every fill, and funding settled "
        "every 8 hours in place of the bars' own. What a search would have chosen at other costs is another "
        "walk-forward."
    )
    return Section("costs", "Costs", words, how, drawn.break_even_table(found))


def _perturbations(found: Perturbations) -> Section:
    rows = found.summary.to_dicts()[1:]
    base = found.base["sharpe_ratio"]
    worst = min((row for row in rows if row["sharpe_50"] is not None), key=lambda row: row["sharpe_50"], default=None)
    words = f"Undisturbed the Sharpe ratio is {number(base)}"
    if worst is not None:
        sentence = drawn.disturbance(worst)
        words += f"; the worst disturbance ({sentence[0].lower()}{sentence[1:]}) leaves {number(worst['sharpe_50'])}"
    how = (
        "The choices tested again, not searched: acting some bars later, with bars drawn and left out, and with "
        "noise on every price (its standard deviation as a share of that of the bars' returns). An edge that one "
        "late or missing bar takes away was never one."
    )
    return Section("perturbations", "Single bars", f"{words}.", how, drawn.perturbation_table(found), found.notes)


_SECTIONS: dict[str, Callable[[Any], Section]] = {
    "neighbourhood": _neighbourhood, "geometry": _geometry, "costs": _costs, "perturbations": _perturbations,
}  # fmt: skip
_FIGURES: dict[str, Callable[[Any], list[Any]]] = {
    "neighbourhood": drawn.neighbourhood_parts, "geometry": drawn.geometry_parts, "costs": drawn.cost_parts,
    "perturbations": lambda found: [drawn.perturbation_figure(found)],
}  # fmt: skip
