"""The rule of the verdict: from checks, each with a value and a threshold, to one conclusion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

from maestro._core.formatting import listed

Outcome = Literal["pass", "fail", "not done"]
Question = Literal["data", "validity", "performance", "persistence", "luck", "robustness"]
Answer = Literal["yes", "no", "open"]
Conclusion = Literal["robust", "inconclusive", "fitted", "not enough data"]

QUESTIONS: dict[Question, str] = {
    "data": "Is there enough data?",
    "validity": "Is the test valid?",
    "performance": "Did it perform out of sample?",
    "persistence": "Did in-sample performance persist?",
    "luck": "Is it more than luck?",
    "robustness": "Is it robust to small changes?",
}
"""Questions in the order of the table; the first two are conditions, the others are weighed."""
STATEMENTS: dict[Question, tuple[str, str]] = {
    "performance": ("it performed out of sample", "it did not perform out of sample"),
    "persistence": ("in-sample performance persisted", "in-sample performance did not persist"),
    "luck": ("it is more than luck", "it is no better than luck"),
    "robustness": ("it is robust to small changes", "it is not robust to small changes"),
}
"""What the answers yes and no to a weighed question say."""
CONDITIONS: tuple[Question, ...] = ("data", "validity")
WEIGHED: tuple[Question, ...] = ("performance", "persistence", "luck", "robustness")
CONCLUSIONS: dict[Conclusion, str] = {
    "robust": "Several independent kinds of evidence support an edge, and none contradicts it.",
    "inconclusive": "The evidence is mixed: it shows neither an edge nor the absence of one.",
    "fitted": "The strategy is fitted to the past.",
    "not enough data": "There is too little data to conclude anything, good or bad.",
}
_MOST_CHANGED = 4
"""Largest number of checks that are changed together when looking for what would change the conclusion."""


@dataclass(frozen=True)
class Check:
    """One check of a verdict.

    Attributes
    ----------
    key, title : str
    question : str
        Question in `QUESTIONS` that it helps to answer.
    outcome : {"pass", "fail", "not done"}
    value, threshold : float or None
    at_least : bool
        Whether the value must be at least the threshold to pass; otherwise at most.
    value_text, threshold_text : str
        Value and threshold with their units.
    meaning : str
        One sentence: the meaning of the value, or why the check was not done.
    details : dict
        Further figures, plain values.
    """

    key: str
    title: str
    question: Question
    outcome: Outcome
    value: float | None
    threshold: float | None
    at_least: bool
    value_text: str
    threshold_text: str
    meaning: str
    details: dict[str, Any] = field(default_factory=dict)


def answer(checks: Iterable[Check], question: Question) -> Answer:
    """Answer to a weighed question: yes or no if at least two checks, and more than half of those done, agree."""
    done = [check.outcome for check in checks if check.question == question and check.outcome != "not done"]
    passed, failed = done.count("pass"), done.count("fail")
    if passed >= 2 and 2 * passed > len(done):
        return "yes"
    return "no" if failed >= 2 and 2 * failed > len(done) else "open"


def conclude_from(checks: Sequence[Check]) -> Conclusion:
    """Draw one conclusion from the checks.

    1. *not enough data* if a check of the first question fails.
    2. *fitted* if at least two of "performance", "persistence" and "luck" are answered no.
    3. *robust* if "performance" and "luck" are answered yes, "persistence" or "robustness" as well, no question is
       answered no, and no check of the validity of the test fails.
    4. *inconclusive* otherwise.

    It takes two checks to answer a question, and two questions to conclude *fitted*, so no single check decides:
    changing any one of them never leads from *robust* to *fitted* or back.
    """
    if any(check.outcome == "fail" for check in checks if check.question == "data"):
        return "not enough data"
    answers = {question: answer(checks, question) for question in WEIGHED}
    if [answers[question] for question in ("performance", "persistence", "luck")].count("no") >= 2:  # type: ignore[index]
        return "fitted"
    valid = not any(check.outcome == "fail" for check in checks if check.question == "validity")
    third = "yes" in (answers["persistence"], answers["robustness"])
    if valid and answers["performance"] == answers["luck"] == "yes" and third and "no" not in answers.values():
        return "robust"
    return "inconclusive"


def answers_of(checks: Sequence[Check]) -> dict[Question, Answer]:
    """Answer to each question; the two conditions are met unless one of their checks fails."""
    found: dict[Question, Answer] = {}
    for question in QUESTIONS:
        if question in CONDITIONS:
            outcomes = {check.outcome for check in checks if check.question == question}
            found[question] = "no" if "fail" in outcomes else "yes" if "pass" in outcomes else "open"
        else:
            found[question] = answer(checks, question)
    return found


def what_would_change(checks: Sequence[Check]) -> list[str]:
    """Sentences on the checks that would lead to another conclusion with another outcome."""
    now = conclude_from(checks)
    if now == "robust":
        return _worse_than_robust(checks)
    sentences = []
    if now in ("inconclusive", "fitted"):
        better = _fewest(checks, [c for c in checks if c.outcome != "pass"], "pass", "robust")
        sentences.append(
            f"More than {_MOST_CHANGED} checks would have to pass for it to be robust."
            if better is None
            else f"It would be robust if {_needed(better)}."
        )
    if now == "fitted":
        saving = [c for c in checks if c.outcome == "fail" and _changed(checks, [c], "pass") == "inconclusive"]
        if saving:
            sentences.append(f"It would be inconclusive if one of these passed: {_titles(saving, 'or')}.")
    if now == "inconclusive":
        worse = [
            c for c in checks
            if c.outcome != "fail" and c.question != "data" and _changed(checks, [c], "fail") == "fitted"
        ]  # fmt: skip
        if worse:
            sentences.append(f"It would be fitted if one of these failed: {_titles(worse, 'or')}.")
    return sentences


def _worse_than_robust(checks: Sequence[Check]) -> list[str]:
    weighed = [c for c in checks if c.outcome == "pass" and c.question in WEIGHED]
    worse = _fewest(checks, weighed, "fail", "inconclusive") or ()
    sentences = ["It would stay robust if any single weighed check failed."] if len(worse) > 1 else []
    return [*sentences, f"It would be inconclusive if {_titles(worse)} failed."] if worse else sentences


def _fewest(
    checks: Sequence[Check], pool: Sequence[Check], outcome: Outcome, wanted: Conclusion
) -> tuple[Check, ...] | None:
    """Fewest checks of a pool that lead to a conclusion if they all have an outcome."""
    for size in range(1, _MOST_CHANGED + 1):
        for some in combinations(pool, size):
            if _changed(checks, some, outcome) == wanted:
                return some
    return None


def _changed(checks: Sequence[Check], some: Sequence[Check], outcome: Outcome) -> Conclusion:
    return conclude_from([replace(c, outcome=outcome) if c in some else c for c in checks])


def _needed(checks: Sequence[Check]) -> str:
    needed = [
        f"{_lower(c)} could be done and passed" if c.outcome == "not done" else f"{_lower(c)} were {c.threshold_text}"
        for c in checks
    ]
    return listed(needed)


def _titles(checks: Sequence[Check], word: str = "and") -> str:
    return listed([_lower(check) for check in checks], most=len(checks), word=word)


def _lower(check: Check) -> str:
    """Title in lower case, for the middle of a sentence; the name Sharpe and abbreviations keep their capitals."""
    title = check.title
    return title if title.startswith("Sharpe") else title[0].lower() + title[1:]
