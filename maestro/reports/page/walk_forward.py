"""The walk-forward report: one HTML file that needs no network."""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

from maestro import __version__
from maestro._core.formatting import known, label, moment, plural, significant
from maestro.errors import RunError
from maestro.reports.figures.costs import cost_table, costs_figure
from maestro.reports.figures.equity import equity_layout
from maestro.reports.figures.folds import fold_table, is_oos_scatter
from maestro.reports.figures.parameters import parameter_figure
from maestro.reports.figures.theme import DARK, LIGHT, swaps
from maestro.reports.figures.trades import reasons_table, trade_distribution, trade_summary, trade_table
from maestro.reports.figures.trials import trial_distribution, trial_states
from maestro.reports.page.conclusion import GRADES, conclude, significance_note
from maestro.reports.page.evidence import Evidence
from maestro.reports.page.output import write_text
from maestro.reports.page.provenance import provenance, quality_table
from maestro.reports.page.verdict import GRADES as CLASSES
from maestro.reports.page.verdict import section_parts
from maestro.reports.tables.annualisation import described
from maestro.reports.tables.columns import WalkForwardResult, failed, ranked_by, search_range, searched
from maestro.reports.tables.html import TEMPLATES, stylesheet
from maestro.reports.tables.monthly import monthly_returns
from maestro.reports.tables.parameter_stability import in_words
from maestro.reports.tables.summary import tiles
from maestro.validation.verdict.result import verdict_of

MARKS = {"for": "+", "against": "−", "open": "?", "warning": "!"}
TONES = {"for": "Speaks for it", "against": "Speaks against it", "open": "Open", "warning": "Mind this"}


def write_report(wf: WalkForwardResult, path: str | os.PathLike[str], *, tearsheet: bool = False) -> Path:
    """Write the report of a walk-forward as one self-contained HTML file.

    Parameters
    ----------
    wf : WalkForward, live or reloaded
    path : path of the HTML file; missing folders are made, an existing file is replaced, whole or not at all
    tearsheet : bool
        Whether to write QuantStats' tear sheet beside it, as ``<name>-tearsheet.html``.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    RunError
        The file cannot be written.
    MissingExtraError
        A tear sheet is asked for and QuantStats is not installed.

    Notes
    -----
    The file depends on the run and its verdict alone: a run gives the same bytes again, also when it is reloaded. Where
    QuantStats cannot make a sheet of the run's returns, the report says so, and a `UserWarning` too.
    """
    target = Path(path)
    sheet, problem = "", ""
    if tearsheet:
        from maestro.reports.page.tearsheet import write_tearsheet

        beside = target.with_name(f"{target.stem}-tearsheet.html")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            sheet = write_tearsheet(wf, beside).name
        except RunError as error:
            problem = f"There is no tear sheet: {error}"
            warnings.warn(problem, stacklevel=2)
    return write_text(target, render(wf, tearsheet=sheet, problem=problem))


def render(wf: WalkForwardResult, *, tearsheet: str = "", problem: str = "") -> str:
    """HTML text of the report; `tearsheet` is the name of a sheet beside it, `problem` why there is none."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    conclusion = conclude(wf)
    evidence = conclusion.evidence
    figures = _figures(wf, evidence)
    names = searched(wf)
    environment = Environment(
        loader=FunctionLoader(lambda name: (TEMPLATES / name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bars = wf.spec.get("bars") or {}
    verdict, unread = verdict_of(wf)
    documents, items = _embed(figures)
    return environment.get_template("report.html").render(
        version=__version__,
        wf=wf,
        conclusion=conclusion,
        evidence=evidence,
        grade=GRADES[conclusion.grade],
        marks=MARKS,
        tones=TONES,
        note=significance_note(evidence),
        verdict=verdict,
        verdict_grade="" if verdict is None else CLASSES[verdict.conclusion],
        verdict_parts=[] if verdict is None else section_parts(verdict),
        unread=unread,
        tiles=tiles(evidence),
        subtitle=_subtitle(wf, evidence),
        figures=figures,
        tearsheet=tearsheet,
        problem=problem,
        ranking=label(ranked_by(wf.spec)),
        parameters=[(name, _choice(wf, name), in_words(evidence.movements[name])) for name in names],
        folds=fold_table(wf),
        failures=failed(wf.folds).select("fold", "error").rows() if evidence.failed else [],
        states=trial_states(wf),
        months=monthly_returns(wf),
        trade_summary=trade_summary(wf) if evidence.trades else "",
        reasons=reasons_table(wf) if len(wf.trades) else "",
        trades=trade_table(wf) if len(wf.trades) else "",
        costs=cost_table(wf),
        quality=quality_table(wf),
        provenance=provenance(wf),
        annualised=described(evidence.periods_per_year, str(bars.get("timeframe") or ""), wf.equity),
        css=stylesheet("tables.css") + stylesheet("report.css") + stylesheet("verdict.css"),
        palette=palette(),
        script=stylesheet("report.js"),
        bokeh=_bokeh() if figures else "",
        documents=documents,
        items=items,
        swaps=json.dumps(swaps()),
    )


def _figures(wf: WalkForwardResult, evidence: Evidence) -> dict[str, Any]:
    """Figures that have something to show, by the name of their place in the page."""
    figures: dict[str, Any] = {}
    if len(wf.equity):
        figures["equity"] = equity_layout(wf)
    if evidence.evaluated:
        figures["scatter"] = is_oos_scatter(wf, height=400)
        for i, name in enumerate(searched(wf)):
            figures[f"parameter-{i}"] = parameter_figure(wf, name, titled=False)
    if evidence.tried:
        figures["trials"] = trial_distribution(wf)
    if evidence.trades:
        figures["trades"] = trade_distribution(wf)
    if known(evidence.costs.total) and evidence.costs.total != 0 and evidence.trades:
        figures["costs"] = costs_figure(wf)
    return figures


def _choice(wf: WalkForwardResult, name: str) -> str:
    """Where a parameter was searched, in words."""
    where = search_range(wf, name)
    if where.options:
        return f"of {', '.join(map(str, where.options))}"
    if not (known(where.low) and known(where.high)):
        return ""
    scale = ", log scale" if where.log else ""
    return f"{significant(where.low)} to {significant(where.high)}{scale}{'' if where.stated else ' (as tried)'}"


def _subtitle(wf: WalkForwardResult, e: Evidence) -> list[str]:
    bars = wf.spec.get("bars") or {}
    parts = []
    if bars.get("n"):
        parts.append(plural(int(bars["n"]), f"{bars.get('timeframe', '')} bar".strip()))
    if e.start is not None:
        parts.append(f"out of sample {moment(e.start)} to {moment(e.end)} UTC")
    parts.append(plural(e.folds, "fold"))
    if e.tried:
        parts.append(plural(e.tried + e.infeasible, "trial"))
    return parts


def palette() -> str:
    """Custom properties of the colours, light and dark, for a style sheet."""

    def block(colours: dict[str, str]) -> str:
        return "".join(f"--{role}:{colour};" for role, colour in colours.items())

    dark = block(DARK)
    return (
        f":root{{{block(LIGHT)}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
        f"@media print{{:root:root{{{block(LIGHT)}}}}}"
    )


def _bokeh() -> str:
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)


def _embed(figures: dict[str, Any]) -> tuple[str, str]:
    """Figures as one JSON document and the places of its roots, the same text for the same figures."""
    if not figures:
        return "{}", "[]"
    from bokeh.document import Document

    document = Document()
    for figure in figures.values():
        document.add_root(figure)
    described: dict[str, Any] = {**document.to_json(deferred=False)}
    described.pop("defs", None)  # of every extension that happens to be loaded, and none is used
    text = json.dumps(described, separators=(",", ":"))
    # Bokeh numbers models through the life of a process; a report numbers its own.
    ids = dict.fromkeys(re.findall(r'"id":"(p\d+)"', text))
    fresh = {old: f"m{i}" for i, old in enumerate(ids)}
    text = re.sub(r'"(p\d+)"', lambda m: f'"{fresh.get(m[1], m[1])}"', text)
    roots = {fresh[figure.id]: f"fig-{name}" for name, figure in figures.items()}
    items = [{"docid": "report", "roots": roots, "root_ids": list(roots)}]
    return f'{{"report":{text}}}'.replace("<", "\\u003c"), json.dumps(items)
