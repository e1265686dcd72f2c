"""The verdict as HTML: for a rich display, and as a section of the report."""

from __future__ import annotations

import re
from html import escape

from maestro._core.formatting import MINUS
from maestro.reports.tables.html import Html, stylesheet
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import QUESTIONS, Check, Question

_MARKS = {
    "pass": ("for", "+", "passed"),
    "fail": ("against", "\N{MINUS SIGN}", "failed"),
    "not done": ("open", "?", "not done"),
}
_ANSWERS = {"yes": "for", "no": "against", "open": "open"}
GRADES: dict[str, str] = {"robust": "holds", "inconclusive": "partly", "fitted": "fails", "not enough data": "none"}
"""Conclusion to the class of the pill that shows it."""


def verdict_html(verdict: Verdict) -> Html:
    """Verdict for a rich display: conclusion, questions with their checks, what would change it, notes."""
    said = escape(verdict.conclusion[0].upper() + verdict.conclusion[1:])
    parts = [
        f"<p class='grade {GRADES[verdict.conclusion]}'><i></i>{said}</p>",
        f"<p class='headline'>{escape(verdict.headline)}</p>",
        f"<p class='note'>{escape(verdict.strategy)} on {escape(verdict.series)}, run {escape(verdict.run)}</p>",
        *section_parts(verdict),
    ]
    return Html(f"<style>{stylesheet('verdict.css')}</style><div class='verdict'>{''.join(parts)}</div>")


def section_parts(verdict: Verdict) -> list[Html]:
    """Questions with their checks, and what would change the conclusion: the report sets its own title above."""
    return [Html(f"<div class='questions'>{''.join(_question(verdict, q) for q in QUESTIONS)}</div>"), *_after(verdict)]


def _question(verdict: Verdict, question: Question) -> str:
    checks = [check for check in verdict.checks if check.question == question]
    said = verdict.answers[question]
    rows = "".join(map(_check, checks))
    return (
        f"<div class='question'><h3>{escape(QUESTIONS[question])} "
        f"<span class='answer {_ANSWERS[said]}'>{said}</span></h3>"
        f"<ul class='checks'>{rows}</ul></div>"
    )


def _check(check: Check) -> str:
    tone, mark, words = _MARKS[check.outcome]
    figure = ""
    if check.key == "permutation" and check.details.get("null"):
        figure = strip(check.details["null"], check.details["observed"])
    held = "" if check.outcome == "not done" else f"<span class='shown'>{_text(check.shown)}</span> "
    return (
        f"<li class='{tone}'><span class='mark' title='{words}' aria-label='{words}'>{mark}</span><span>"
        f"<b>{escape(check.title)}</b>"
        f"<span class='figures'>{held}<span class='asked'>{_text(check.asked)}</span></span>"
        f"<span class='meaning'>{_text(check.meaning)}</span>{figure}</span></li>"
    )


def _text(words: str) -> str:
    """Escaped, with a minus before a number in place of a hyphen."""
    return re.sub(r"(?<![\w.])-(?=\d)", MINUS, escape(words))


def strip(null: list[float], observed: float) -> Html:
    """Dots of the shuffled series and a line where the real one stands, as SVG in the colours of the page."""
    values = [*null, observed]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def x(value: float) -> str:
        return f"{6 + 288 * (value - low) / span:.1f}"

    dots = "".join(f"<circle cx='{x(v)}' cy='12' r='3.2'/>" for v in sorted(null))
    label = f"{len(null)} shuffled series from {min(null):.2f} to {max(null):.2f}, the real one {observed:.2f}"
    return Html(
        f"<svg class='strip' viewBox='0 0 300 24' role='img' aria-label='{escape(label)}'>"
        f"<title>{escape(label)}</title>"
        f"<line class='axis' x1='0' x2='300' y1='12' y2='12'/>{dots}"
        f"<line class='real' x1='{x(observed)}' x2='{x(observed)}' y1='2' y2='22'/></svg>"
        "<span class='key'>dots: shuffled bars, line: the real ones</span>"
    )


def _after(verdict: Verdict) -> list[Html]:
    found = []
    if verdict.changes:
        rows = "".join(f"<li>{escape(change)}</li>" for change in verdict.changes)
        found.append(Html(f"<div class='believe changes'><b>What would change it</b><ul>{rows}</ul></div>"))
    found += [Html(f"<p class='note'>{escape(note)}</p>") for note in verdict.notes]
    return found
