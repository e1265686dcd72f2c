"""The verdict as an object: checks, answers, conclusion, and the file in the run's folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.hooks import hook
from maestro._core.json import dumps
from maestro.errors import RunError
from maestro.validation.verdict.rule import (
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
        return str(hook("verdict_html")(self))

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
        text = dumps(self.to_dict(), indent=1, ensure_ascii=True)
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
