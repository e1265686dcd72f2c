"""The verdict as a person meets it: table, words, a section of the report, and a file in the run's folder."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from maestro.errors import RunError
from maestro.reports.formats import MINUS
from maestro.reports.html import Html, stylesheet
from maestro.validation.judgement import (
    CONCLUSIONS,
    QUESTIONS,
    Answer,
    Check,
    Outlook,
    Question,
    answers_of,
    conclude_from,
    listed,
    turned_around,
)

FILE = "verdict.json"


@dataclass(frozen=True)
class Verdict:
    """What a walk-forward is worth; made by `ms.verdict`.

    Attributes
    ----------
    conclusion : {"robust", "inconclusive", "fitted", "not enough data"}
    table : polars frame, a row a check
        question, check, value, threshold, outcome, meaning.
    checks : tuple of Check
    answers : dict
        Answer (yes, no, open) of each question.
    changes : tuple of str
        What would change the conclusion, in sentences.
    notes : tuple of str
        What else a reader must know.
    run, strategy, series : str
    settings : dict
        What the verdict depends on beside the run: seed, repetitions, versions, trials in the ledger.
    """

    checks: tuple[Check, ...]
    run: str
    strategy: str
    series: str
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def conclusion(self) -> Outlook:
        """One of robust, inconclusive, fitted, not enough data, by `conclude_from`."""
        return conclude_from(self.checks)

    @property
    def answers(self) -> dict[Question, Answer]:
        """Answer of each question; the two conditions are yes unless a check fails."""
        return answers_of(self.checks)

    @property
    def table(self) -> pl.DataFrame:
        """A row a check."""
        rows = [(QUESTIONS[c.question], c.title, c.value, c.threshold, c.outcome, c.meaning) for c in self.checks]
        schema = {"question": pl.String, "check": pl.String, "value": pl.Float64, "threshold": pl.Float64,
                  "outcome": pl.String, "meaning": pl.String}  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def headline(self) -> str:
        """The conclusion in one sentence, with its reasons."""
        checks = [check for check in self.checks if check.question == "data" and check.outcome == "fail"]
        if checks:
            return f"{CONCLUSIONS['not enough data']} Too small: {listed([c.title.lower() for c in checks])}."
        unsound = [check for check in self.checks if check.question == "sound" and check.outcome == "fail"]
        if unsound and self.conclusion != "fitted":
            return f"No figure of this run can be believed: {listed([c.title.lower() for c in unsound])} failed."
        return CONCLUSIONS[self.conclusion]

    @property
    def changes(self) -> tuple[str, ...]:
        """What would change the conclusion, in sentences."""
        return (*self.hints, *turned_around(self.checks))

    def __getitem__(self, key: str) -> Check:
        """Check by its key: ``verdict["pbo"].value``."""
        for check in self.checks:
            if check.key == key:
                return check
        raise KeyError(f"{key!r}; the checks are: {', '.join(check.key for check in self.checks)}")

    def __str__(self) -> str:
        marks = {"pass": "+", "fail": "-", "not done": "?"}
        lines = [f"{self.conclusion.upper()}: {self.strategy} on {self.series}", self.headline]
        answers = self.answers
        for question, text in QUESTIONS.items():
            lines += ["", f"{text} {answers[question]}"]
            for check in self.checks:
                if check.question == question:
                    lines.append(
                        f"  {marks[check.outcome]} {check.title}: {check.shown} ({check.asked}). {check.meaning}"
                    )
        lines += ["", "What would change it:", *(f"  {change}" for change in self.changes)] if self.changes else []
        return "\n".join([*lines, *(f"* {note}" for note in self.notes)])

    def __repr__(self) -> str:
        outcomes: list[str] = [check.outcome for check in self.checks]
        counts = ", ".join(f"{outcomes.count(one)} {one}" for one in ("pass", "fail", "not done"))
        return f"Verdict({self.conclusion}: {self.strategy} on {self.series}; {counts}; run {self.run})"

    def _repr_html_(self) -> str:
        return str(verdict_html(self)._repr_html_())

    # -- on disk ----------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` takes them back."""
        return {
            "run": self.run, "strategy": self.strategy, "series": self.series, "conclusion": self.conclusion,
            "answers": self.answers, "changes": list(self.changes), "checks": [asdict(check) for check in self.checks],
            "hints": list(self.hints), "notes": list(self.notes), "settings": self.settings,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Verdict:
        """Read what `to_dict` gave; the conclusion is drawn again from the checks."""
        checks = tuple(Check(**{**check, "value": _number(check["value"])}) for check in form["checks"])
        return cls(checks, form["run"], form["strategy"], form["series"], tuple(form["hints"]), tuple(form["notes"]),
                   form["settings"])  # fmt: skip

    def to_json(self) -> bytes:
        """Content of ``verdict.json``, with a hash of itself."""
        text = json.dumps(_finite(self.to_dict()), indent=1)
        return (json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest()}) + "\n" + text + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, run: str, where: object = "verdict.json") -> Verdict:
        """Read the content of ``verdict.json``.

        Raises
        ------
        RunError
            It is damaged, or that of another run.
        """
        head, _, text = content.decode("utf-8", "replace").partition("\n")
        try:
            same = json.loads(head)["sha256"] == hashlib.sha256(text.removesuffix("\n").encode()).hexdigest()
            found = cls.from_dict(json.loads(text)) if same else None
        except (ValueError, KeyError, TypeError):
            found = None
        if found is None or found.run != run:
            why = "its content is not what was written" if found is None else f"it is that of run {found.run}"
            raise RunError(f"{where} is damaged ({why}); remove it, and make the verdict again: maestro verdict {run}")
        return found


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def read_verdict(folder: Path, run: str) -> Verdict | None:
    """Verdict in a run's folder, None where there is none; raises as `Verdict.from_json`."""
    path = folder / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}; give read access, or remove it.") from error
    return Verdict.from_json(content, run, path)


def verdict_of(wf: Any) -> tuple[Verdict | None, str]:
    """Verdict that was made of a walk-forward, and why it cannot be read."""
    try:
        return getattr(wf, "verdict", None), ""
    except RunError as error:
        return None, str(error)


# -- as HTML --------------------------------------------------------------------------------

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
