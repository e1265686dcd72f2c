"""The walk-forward report: one HTML file that needs no network."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from maestro._core.formatting import known, label, moment, money, plural, significant
from maestro.bars import Bars
from maestro.decision.measure import Decision, measure
from maestro.errors import RunError
from maestro.reports.figures.costs import cost_table, costs_figure
from maestro.reports.figures.equity import equity_layout
from maestro.reports.figures.folds import fold_table, is_oos_scatter
from maestro.reports.figures.parameters import parameter_figure
from maestro.reports.figures.trades import reasons_table, trade_distribution, trade_summary, trade_table
from maestro.reports.figures.trials import trial_distribution, trial_states
from maestro.reports.html.embedding import page_parts
from maestro.reports.html.environment import render_page
from maestro.reports.output import write_page
from maestro.reports.page.decision import blocks, fronts
from maestro.reports.page.provenance import provenance, quality_table
from maestro.reports.page.verdict import strips
from maestro.reports.tables.annualisation import described
from maestro.reports.tables.monthly import monthly_returns
from maestro.reports.tables.summary import tiles
from maestro.validation.robustness.parameter_stability import in_words
from maestro.validation.verdict.evidence import Evidence, gather
from maestro.validation.verdict.preliminary import current_verdict
from maestro.validation.verdict.rule import QUESTIONS
from maestro.walkforward.columns import failed, search_range, searched
from maestro.walkforward.result import WalkForward


def write_report(
    wf: WalkForward, path: str | os.PathLike[str], *, tearsheet: bool = False, decision: bool | Decision = False,
    bars: Bars | None = None, strategy: Any = None,
) -> Path:  # fmt: skip
    """Write the report of a walk-forward as one self-contained HTML file.

    Parameters
    ----------
    wf : WalkForward, live or reloaded
    path : path of the HTML file; missing folders are made, an existing file is replaced atomically
    tearsheet : bool
        Whether to write QuantStats' tear sheet next to it, as ``<name>-tearsheet.html``.
    decision : bool or Decision
        Whether to measure what needs the bars again (current parameters, regimes, random entries, cross-validation),
        which takes seconds; or what `maestro.decision.measure` gave.
    bars, strategy : optional
        For these measurements: the run's bars where they cannot be loaded again, and the class of a user-defined
        strategy of a run that was loaded from disk.

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
    BarsError
        `decision` is asked for and the bars are not those of the run.

    Notes
    -----
    The file depends on the run and its verdict only: a run gives the same bytes again, also after it was reloaded. If
    QuantStats cannot make a sheet of the run's returns, the report says so, and a `UserWarning` is raised.
    """
    target = Path(path)
    measured = measure(wf, bars, strategy=strategy) if decision is True else decision or None
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
    return write_page(target, render(wf, tearsheet=sheet, problem=problem, decision=measured))


def render(wf: WalkForward, *, tearsheet: str = "", problem: str = "", decision: Decision | None = None) -> str:
    """HTML text of the report; `tearsheet` is the name of a sheet beside it, `problem` why there is none."""
    evidence = gather(wf)
    verdict, unread = current_verdict(wf)
    figures = _figures(wf, evidence)
    names = searched(wf)
    before, after, drawn = blocks(wf, decision)
    front, front_figures, front_names = fronts(wf)
    figures |= {**drawn, **front_figures}
    return render_page(
        "report.html",
        **page_parts("verdict.css", figures=figures),
        subtitle=_subtitle(wf, evidence),
        evidence=evidence,
        verdict=verdict,
        unread=unread,
        questions=QUESTIONS,
        strips=strips(verdict),
        tiles=tiles(evidence),
        figures=figures,
        tearsheet=tearsheet,
        problem=problem,
        ranking=label(wf.spec.selection.ranking),
        parameters=[(name, _choice(wf, name), in_words(evidence.movements[name])) for name in names],
        folds=fold_table(wf),
        failures=failed(wf.folds).select("fold", "error").rows() if evidence.failed else [],
        states=trial_states(wf),
        months=monthly_returns(wf),
        trade_summary=trade_summary(wf) if evidence.trades else "",
        reasons=reasons_table(wf) if len(wf.trades) else "",
        trades=trade_table(wf) if len(wf.trades) else "",
        cash=money(evidence.cash),
        costs=cost_table(wf),
        quality=quality_table(wf),
        provenance=provenance(wf),
        annualised=described(wf),
        before=before,
        after=after,
        more=decision is None,
        run=wf.id,
        fronts=front,
        front_names=front_names,
    )


def _figures(wf: WalkForward, evidence: Evidence) -> dict[str, Any]:
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


def _choice(wf: WalkForward, name: str) -> str:
    """Where a parameter was searched, in words."""
    where = search_range(wf, name)
    if where.options:
        return f"of {', '.join(map(str, where.options))}"
    if not (known(where.low) and known(where.high)):
        return ""
    scale = ", log scale" if where.log else ""
    return f"{significant(where.low)} to {significant(where.high)}{scale}{'' if where.stated else ' (as tried)'}"


def _subtitle(wf: WalkForward, e: Evidence) -> list[str]:
    bars = wf.spec.bars
    parts = [plural(bars.n, f"{bars.timeframe} bar".strip())]
    if e.start is not None:
        parts.append(f"out of sample {moment(e.start)} to {moment(e.end)} UTC")
    parts.append(plural(e.folds, "fold"))
    if e.tried:
        parts.append(plural(e.tried + e.infeasible, "trial"))
    return parts
