"""The key figures of a walk-forward in a row, and its summary for a notebook's output cell."""

from __future__ import annotations

from maestro._core.formatting import known, money, number, percent, plural
from maestro.reports.figures.folds import fold_table
from maestro.reports.html.environment import Html, render, stylesheet
from maestro.reports.html.fragments import table
from maestro.validation.verdict.evidence import Evidence, gather
from maestro.validation.verdict.preliminary import current_verdict
from maestro.walkforward.result import WalkForward


def summary_html(wf: WalkForward) -> Html:
    """Verdict, warnings, key figures and folds of a walk-forward, for a rich display without scripts."""
    evidence = gather(wf)
    verdict, unread = current_verdict(wf)
    figures = tiles(evidence)
    return render(
        "summary.html",
        css=stylesheet("tables.css"),
        run=wf.id,
        verdict=verdict,
        unread=unread,
        figures=table([name for name, *_ in figures], [[one for _, one, *_ in figures], [b for *_, b, _ in figures]]),
        folds=fold_table(wf),
        count=plural(len(wf.folds), "fold"),
        opened=len(wf.folds) <= 12,
    )


def tiles(e: Evidence) -> list[tuple[str, str, str, str]]:
    """Key figures: name, value, what to compare it with, tone."""
    share = known(e.costs.share)
    return [
        (
            "Return",
            percent(e.total_return, sign=True),
            f"buy and hold {percent(e.benchmark_return, sign=True)}",
            _tone(e.total_return),
        ),
        (
            "Annual return",
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
            "of the profit before them, added over the folds" if share else "paid; no profit before them",
            "",
        ),
    ]


def _tone(value: float) -> str:
    return "gain" if known(value) and value > 0 else "loss" if known(value) and value < 0 else ""
