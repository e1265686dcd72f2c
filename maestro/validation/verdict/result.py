"""The verdict as an object: checks, answers, conclusion, and the file in the run's folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from maestro._core.formatting import listed, plural
from maestro._core.hooks import hook
from maestro._core.json import dumps
from maestro.errors import RunError
from maestro.validation.verdict.notes import Caveat
from maestro.validation.verdict.rule import (
    CONCLUSIONS,
    CONDITIONS,
    QUESTIONS,
    STATEMENTS,
    WEIGHED,
    Answer,
    Check,
    Conclusion,
    Question,
    answers_of,
    conclude_from,
    what_would_change,
)

FILE = "verdict.json"
FORMAT = 2
"""Of `FILE`. Format 1, of Maestro before 0.2, had other questions and neither warnings nor a summary."""


@dataclass(frozen=True)
class Verdict:
    """Verdict on a walk-forward, from `ms.verdict`, or from `preliminary_verdict` without the slow checks.

    Attributes
    ----------
    conclusion : {"robust", "inconclusive", "fitted", "not enough data"}
    preliminary : bool
        Whether only the checks that need neither bars nor a simulation were done.
    table : polars frame, one row per check
        question, check, value, threshold, outcome, meaning.
    checks : tuple of Check
    answers : dict
        Answer (yes, no, open) to each question.
    changes : tuple of str
        Sentences on what would change the conclusion.
    summary : str
        Growth in sample, out of sample and of buy and hold, in a sentence or two.
    warnings : tuple of Caveat
        Warnings that a reader must see before any figure.
    notes : tuple of str
        Further notes.
    run, strategy, series : str
    settings : dict
        Inputs of the verdict besides the run: seed, repetitions, version, trials in the ledger.
    """

    checks: tuple[Check, ...]
    run: str
    strategy: str
    series: str
    summary: str = ""
    warnings: tuple[Caveat, ...] = ()
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    preliminary: bool = False

    @property
    def conclusion(self) -> Conclusion:
        """Conclusion that the rule draws from the checks."""
        return conclude_from(self.checks)

    @property
    def name(self) -> str:
        """Conclusion as a label: ``Robust``, or ``Preliminary: inconclusive``."""
        conclusion = self.conclusion
        return f"Preliminary: {conclusion}" if self.preliminary else conclusion[0].upper() + conclusion[1:]

    @property
    def answers(self) -> dict[Question, Answer]:
        """Answer to each question."""
        return answers_of(self.checks)

    @property
    def of_portfolio(self) -> bool:
        """Whether it is the verdict of a portfolio; `run` is the portfolio's id then."""
        return self.settings.get("subject") == "portfolio"

    @property
    def not_done(self) -> tuple[Check, ...]:
        """Checks that were not done."""
        return tuple(check for check in self.checks if check.outcome == "not done")

    def checks_of(self, question: Question) -> tuple[tuple[Check, ...], tuple[str, ...]]:
        """Checks of a question to list one by one, and the titles of those that a preliminary verdict leaves out."""
        checks = tuple(check for check in self.checks if check.question == question)
        left = tuple(c.title for c in checks if c.outcome == "not done") if self.preliminary else ()
        return tuple(c for c in checks if c.title not in left), left

    @property
    def table(self) -> pl.DataFrame:
        """One row per check."""
        schema = {
            "question": pl.String, "check": pl.String, "value": pl.Float64, "threshold": pl.Float64,
            "outcome": pl.String, "meaning": pl.String,
        }  # fmt: skip
        rows = [(QUESTIONS[c.question], c.title, c.value, c.threshold, c.outcome, c.meaning) for c in self.checks]
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def headline(self) -> str:
        """The conclusion in a sentence, with its reasons."""
        failed = [check for check in self.checks if check.question in CONDITIONS and check.outcome == "fail"]
        small = [check.title.lower() for check in failed if check.question == "data"]
        if small:
            return f"{CONCLUSIONS['not enough data']} Too small: {listed(small)}."
        if failed and self.conclusion != "fitted":
            return f"The figures of this run cannot be trusted: the test for {listed(_titles(failed))} failed."
        if self.conclusion == "fitted":
            return f"{CONCLUSIONS['fitted'].removesuffix('.')}: {listed(self._statements('no'))}."
        if self.preliminary:
            return self._so_far()
        return CONCLUSIONS[self.conclusion]

    def _statements(self, *answers: Answer) -> list[str]:
        """Statements of the answers to weighed questions."""
        given = self.answers
        return [STATEMENTS[q][given[q] == "no"] for q in WEIGHED if given[q] in answers]

    def _so_far(self) -> str:
        tried = {check.question for check in self.checks if check.outcome != "not done"}
        left = [question for question in WEIGHED if question not in tried]
        answer = listed(self._statements("yes", "no")) or "the evidence is mixed"
        return f"So far {answer}; {listed(left)} {'is' if len(left) == 1 else 'are'} not tested yet."

    @property
    def changes(self) -> tuple[str, ...]:
        """Sentences on what would change the conclusion."""
        if self.preliminary:
            count = f"{len(self.not_done)} of {plural(len(self.checks), 'check')} are not done yet"
            how = "ms.verdict(portfolio)" if self.of_portfolio else f"ms.verdict(wf), or maestro verdict {self.run}"
            return (*self.hints, f"{count}: {how}.")
        return (*self.hints, *what_would_change(self.checks))

    def __getitem__(self, key: str) -> Check:
        """Check by its key: ``verdict["pbo"].value``."""
        for check in self.checks:
            if check.key == key:
                return check
        raise KeyError(f"{key!r}; the checks are: {', '.join(check.key for check in self.checks)}")

    def __str__(self) -> str:
        marks = {"pass": "+", "fail": "-", "not done": "?"}
        lines = [f"{self.name.upper()}: {self.strategy} on {self.series}", self.headline]
        lines += [self.summary] if self.summary else []
        lines += [f"! {warning}" for warning in self.warnings]
        for question, answer in self.answers.items():
            checks, left = self.checks_of(question)
            lines += ["", f"{QUESTIONS[question]} {answer}"]
            lines += [
                f"  {marks[check.outcome]} {check.title}: {check.value_text} ({check.threshold_text}). {check.meaning}"
                for check in checks
            ]
            lines += [f"  ? Not done yet: {', '.join(left)}."] if left else []
        heading = "Next:" if self.preliminary else "What would change it:"
        lines += ["", heading, *(f"  {change}" for change in self.changes)] if self.changes else []
        return "\n".join([*lines, *(f"* {note}" for note in self.notes)])

    def __repr__(self) -> str:
        outcomes = [str(check.outcome) for check in self.checks]
        counts = ", ".join(f"{outcomes.count(one)} {one}" for one in ("pass", "fail", "not done"))
        kind = "preliminary: " if self.preliminary else ""
        return f"Verdict({kind}{self.conclusion}: {self.strategy} on {self.series}; {counts}; run {self.run})"

    def _repr_html_(self) -> str:
        return str(hook("verdict_html")(self))

    # -- on disk ----------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; `from_dict` reads them."""
        return {
            "format": FORMAT, "run": self.run, "strategy": self.strategy, "series": self.series,
            "conclusion": self.conclusion, "preliminary": self.preliminary, "summary": self.summary,
            "warnings": [asdict(warning) for warning in self.warnings], "answers": self.answers,
            "changes": list(self.changes), "checks": [asdict(check) for check in self.checks],
            "hints": list(self.hints), "notes": list(self.notes), "settings": self.settings,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Verdict:
        """Read the result of `to_dict`; the conclusion is drawn again from the checks."""
        return cls(
            tuple(Check(**{**check, "value": _number(check["value"])}) for check in form["checks"]),
            form["run"], form["strategy"], form["series"], form["summary"],
            tuple(Caveat(**warning) for warning in form["warnings"]), tuple(form["hints"]), tuple(form["notes"]),
            form["settings"], form["preliminary"],
        )  # fmt: skip

    def to_json(self) -> bytes:
        """Content of ``verdict.json``, with a hash of itself."""
        text = dumps(self.to_dict(), indent=1, ensure_ascii=True)
        return (json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest()}) + "\n" + text + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, run: str, where: object = FILE) -> Verdict:
        """Read the content of ``verdict.json``.

        Raises
        ------
        RunError
            It is damaged, of another run, or of a format that this version does not read.
        """
        form = _checked(content, run, where)
        try:
            return cls.from_dict(form)
        except (KeyError, TypeError) as error:
            raise _damaged(where, run, f"{error!r} is missing or not as it was written") from error


def _titles(checks: list[Check]) -> list[str]:
    return [check.title.removeprefix("No ").lower() for check in checks]


def _checked(content: bytes, run: str, where: object) -> dict[str, Any]:
    head, _, text = content.decode("utf-8", "replace").partition("\n")
    try:
        same = json.loads(head)["sha256"] == hashlib.sha256(text.removesuffix("\n").encode()).hexdigest()
        form = json.loads(text) if same else None
    except (ValueError, KeyError, TypeError):
        form = None
    if not isinstance(form, dict):
        raise _damaged(where, run, "its content is not what was written")
    if form.get("run") != run:
        raise _damaged(where, run, f"it belongs to run {form.get('run')}")
    found = form.get("format", 1)
    if found != FORMAT:
        version = (form.get("settings") or {}).get("maestro", "another version")
        raise RunError(
            f"{where} was written by Maestro {version} in format {found}; this version reads format {FORMAT}. Make the "
            f"verdict again: maestro verdict {run} --force"
        )
    return form


def _damaged(where: object, run: str, why: str) -> RunError:
    return RunError(f"{where} is damaged ({why}); make the verdict again: maestro verdict {run} --force")


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def read_verdict(folder: Path, run: str) -> Verdict | None:
    """Verdict in a run's folder, None if there is none; errors as of `Verdict.from_json`."""
    path = folder / FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}; give read access, or remove it.") from error
    return Verdict.from_json(content, run, path)
