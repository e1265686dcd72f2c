"""The key figures of a walk-forward in a row, and its summary for a notebook's output cell."""

from __future__ import annotations

from html import escape
from typing import Any

from maestro._core.formatting import known, money, number, percent, plural
from maestro.reports.figures.folds import fold_table
from maestro.reports.page.conclusion import GRADES, conclude
from maestro.reports.page.evidence import Evidence
from maestro.reports.tables.html import Html, stylesheet, table
from maestro.validation.verdict.result import verdict_of


def summary_html(wf: Any) -> str:
    """Conclusion, warnings, key figures and folds of a walk-forward, for a rich display without scripts."""
    conclusion = conclude(wf)
    e = conclusion.evidence
    parts = [f"<strong>{escape(e.strategy)}</strong> on {escape(e.series)}, run <code>{escape(wf.id)}</code>"]
    parts += [f"<b class='lost'>{escape(w.title)}.</b> {escape(w.text)}" for w in conclusion.warnings]
    parts.append(f"<b>{GRADES[conclusion.grade]}.</b> {escape(conclusion.headline)} {escape(conclusion.summary)}")
    figures = tiles(e)
    row = table([name for name, *_ in figures], [[value for _, value, *_ in figures], [b for *_, b, _ in figures]])
    text = "".join(f"<p>{part}</p>" for part in parts)
    judged, unread = verdict_of(wf)
    if unread:
        text += f"<p class='lost'>{escape(unread)}</p>"
    if judged is not None:
        text += f"<p><b>Verdict: {escape(judged.conclusion)}.</b> {escape(judged.headline)}</p>"
    hint = "<p class='note'>The whole report: <code>.report(path)</code>.</p>"
    return f"<style>{stylesheet('tables.css')}</style><div class='mst'>{text}{row}{_folds(wf)}{hint}</div>"


def _folds(wf: Any) -> Html:
    count = len(wf.folds)
    return Html(
        f"<details{' open' if count <= 12 else ''}><summary>{plural(count, 'fold')}</summary>{fold_table(wf)}</details>"
    )


def tiles(e: Evidence) -> list[tuple[str, str, str, str]]:
    """Key figures: name, value, what to hold it against, tone."""
    share = known(e.costs.share)
    return [
        (
            "Return",
            percent(e.total_return, sign=True),
            f"buy and hold {percent(e.benchmark_return, sign=True)}",
            _tone(e.total_return),
        ),
        (
            "Return a year",
            percent(e.oos_annual, sign=True),
            f"in sample {percent(e.is_annual, sign=True)}",
            _tone(e.oos_annual),
        ),
        ("Efficiency", number(e.efficiency), "out of sample / in sample", ""),
        (
            "Sharpe ratio",
            number(e.oos_sharpe),
            f"in sample {number(e.is_sharpe)}, hold {number(e.benchmark_sharpe)}",
            "",
        ),
        ("Largest drawdown", percent(e.max_drawdown), f"buy and hold {percent(e.benchmark_drawdown)}", ""),
        (
            "Folds with a profit",
            f"{e.profitable} of {e.evaluated}",
            f"{plural(e.failed, 'fold')} failed" if e.failed else "none failed",
            "loss" if e.failed else "",
        ),
        ("Trades", number(e.trades, 0), f"in the market {percent(e.exposure, 0)} of the time", ""),
        (
            "Costs",
            percent(e.costs.share, 0) if share else money(e.costs.total),
            "of the profit before them" if share else "paid; no profit before them",
            "",
        ),
    ]


def _tone(value: float) -> str:
    return "gain" if known(value) and value > 0 else "loss" if known(value) and value < 0 else ""
