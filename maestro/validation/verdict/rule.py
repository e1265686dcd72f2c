"""The rule of the verdict: from checks, each with value and threshold, to one conclusion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

Outcome = Literal["pass", "fail", "not done"]
Question = Literal["data", "sound", "earned", "carried", "luck", "sturdy"]
Answer = Literal["yes", "no", "open"]
Outlook = Literal["robust", "inconclusive", "fitted", "not enough data"]

QUESTIONS: dict[Question, str] = {
    "data": "Is there enough to judge by?",
    "sound": "Is the test itself sound?",
    "earned": "Did it earn on bars that no search saw?",
    "carried": "Did what was found in the past carry over?",
    "luck": "Is it more than luck?",
    "sturdy": "Does it bear small changes?",
}
"""Questions in the order of the table; the first two are conditions, the others are weighed."""
CONCLUSIONS: dict[Outlook, str] = {
    "robust": "Several independent kinds of evidence agree that there is something, and none speaks against it.",
    "inconclusive": "The evidence does not agree: neither skill nor luck is shown.",
    "fitted": "What the search found in the past was not there afterwards, or is no more than luck gives.",
    "not enough data": "Too little was tested to say anything, good or bad.",
}
_MOST_TURNED = 4
"""Checks that are turned around at most when looking for what would change the conclusion."""


@dataclass(frozen=True)
class Check:
    """One check of a verdict.

    Attributes
    ----------
    key, title : str
    question : str
        Which of `QUESTIONS` it helps to answer.
    outcome : {"pass", "fail", "not done"}
    value, threshold : float or None
    least : bool
        Whether the value must be at least the threshold; else at most.
    shown, asked : str
        Value and threshold as people read them.
    meaning : str
        One plain sentence: what this says, or why it could not be done.
    details : dict
        Further figures, plain values.
    """

    key: str
    title: str
    question: Question
    outcome: Outcome
    value: float | None
    threshold: float | None
    least: bool
    shown: str
    asked: str
    meaning: str
    details: dict[str, Any] = field(default_factory=dict)


def answer(checks: Iterable[Check], question: Question) -> Answer:
    """Answer of a weighed question: yes or no where at least two checks and more than half of those done say so."""
    done = [check.outcome for check in checks if check.question == question and check.outcome != "not done"]
    for outcome, said in (("pass", "yes"), ("fail", "no")):
        count = done.count(outcome)  # type: ignore[arg-type]
        if count >= 2 and 2 * count > len(done):
            return said  # type: ignore[return-value]
    return "open"


def conclude_from(checks: Sequence[Check]) -> Outlook:
    """Make one conclusion of the checks.

    1. *not enough data* where a check of the first question fails.
    2. *fitted* where at least two of "earned", "carried" and "luck" are answered no.
    3. *robust* where "earned" and "luck" are answered yes, "carried" or "sturdy" too, no question is answered no, and
       no check of the soundness of the test fails.
    4. *inconclusive* otherwise.

    A question needs two checks to be answered, and "fitted" two questions, so no single check makes a conclusion:
    turning any one of them around never leads from "robust" to "fitted" or back.
    """
    if any(check.outcome == "fail" for check in checks if check.question == "data"):
        return "not enough data"
    answers = {question: answer(checks, question) for question in QUESTIONS}
    if [answers[question] for question in ("earned", "carried", "luck")].count("no") >= 2:
        return "fitted"
    sound = not any(check.outcome == "fail" for check in checks if check.question == "sound")
    weighed = [answers[question] for question in ("earned", "carried", "luck", "sturdy")]
    third = "yes" in (answers["carried"], answers["sturdy"])
    if sound and answers["earned"] == answers["luck"] == "yes" and third and "no" not in weighed:
        return "robust"
    return "inconclusive"


def answers_of(checks: Sequence[Check]) -> dict[Question, Answer]:
    """Answer of each question; the two conditions are yes unless a check fails."""
    found: dict[Question, Answer] = {}
    for question in QUESTIONS:
        if question in ("data", "sound"):
            outcomes = {check.outcome for check in checks if check.question == question}
            found[question] = "no" if "fail" in outcomes else "yes" if "pass" in outcomes else "open"
        else:
            found[question] = answer(checks, question)
    return found


def turned_around(checks: Sequence[Check]) -> list[str]:
    """Sentences on which checks, turned around, would lead to another conclusion."""
    now = conclude_from(checks)
    said = []
    if now in ("inconclusive", "fitted"):
        better = _smallest(checks, [c for c in checks if c.outcome != "pass"], "pass", "robust")
        if better is not None:
            said.append(f"It would be robust if {_wanted(better)}.")
        else:
            said.append(f"More than {_MOST_TURNED} checks would have to come out otherwise for it to be robust.")
    if now == "robust":
        weighed = [c for c in checks if c.outcome == "pass" and c.question not in ("data", "sound")]
        worse = _smallest(checks, weighed, "fail", "inconclusive") or ()
        if len(worse) > 1:
            said.append("No single one of the weighed checks, failed, would change it.")
        if worse:
            said.append(f"It would be inconclusive if {listed([_lower(c) for c in worse])} failed.")
    if now == "fitted":
        saving = [c for c in checks if c.outcome == "fail" and _with(checks, [c], "pass") == "inconclusive"]
        if saving:
            said.append(
                f"It would be inconclusive if one of these passed: {listed([_lower(c) for c in saving], 'or')}."
            )
    if now == "inconclusive":
        worse = [
            c for c in checks if c.outcome != "fail" and c.question != "data" and _with(checks, [c], "fail") == "fitted"
        ]
        if worse:
            said.append(f"It would be fitted if one of these failed: {listed([_lower(c) for c in worse], 'or')}.")
    return said


def _smallest(checks: Sequence[Check], pool: Sequence[Check], outcome: Outcome, wanted: Outlook) -> Any:
    for size in range(1, _MOST_TURNED + 1):
        for some in combinations(pool, size):
            if _with(checks, some, outcome) == wanted:
                return some
    return None


def _with(checks: Sequence[Check], turned: Sequence[Check], outcome: Outcome) -> Outlook:
    return conclude_from([replace(c, outcome=outcome) if c in turned else c for c in checks])


def _wanted(checks: Sequence[Check]) -> str:
    return listed(
        [
            f"{_lower(c)} could be done and passed" if c.outcome == "not done" else f"{_lower(c)} came to {c.asked}"
            for c in checks
        ]
    )


def _lower(check: Check) -> str:
    title = check.title
    return title if title.startswith("Sharpe") else title[0].lower() + title[1:]


def listed(items: Sequence[str], word: str = "and") -> str:
    """Items in a sentence: ``a, b and c``."""
    return f" {word} ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""
