"""The verdict as HTML: for a rich display, and as a section of the report."""

from __future__ import annotations

from collections.abc import Sequence

from maestro._core.formatting import number
from maestro.reports.html.environment import Html, render_macro, stylesheet
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import QUESTIONS

_WIDTH, _MARGIN = 288.0, 6.0


def verdict_html(verdict: Verdict) -> Html:
    """Verdict for a rich display: warnings, conclusion, questions with their checks, what would change it, notes."""
    return render_macro("verdict.html", "whole", verdict, QUESTIONS, strips(verdict), stylesheet("verdict.css"))


def strips(verdict: Verdict) -> dict[str, Html]:
    """Figures of checks, by the key of the check."""
    return {
        check.key: strip(check.details["null"], check.details["observed"])
        for check in verdict.checks
        if check.details.get("null") and check.details.get("observed") is not None
    }


def strip(null: Sequence[float], observed: float) -> Html:
    """A dot for each permuted series and a line for the real one, as SVG in the colours of the page."""
    low, high = min(*null, observed), max(*null, observed)
    span = (high - low) or 1.0

    def x(value: float) -> str:
        return f"{_MARGIN + _WIDTH * (value - low) / span:.1f}"

    label = (
        f"{len(null)} permuted series from {number(min(null))} to {number(max(null))}, the real one {number(observed)}"
    )
    return render_macro("verdict.html", "strip", [x(value) for value in sorted(null)], x(observed), label)
