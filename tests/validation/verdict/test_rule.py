"""The rule of the verdict: no single check outweighs the others."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from maestro.validation import conclude_from
from maestro.validation.verdict.rule import CONCLUSIONS, QUESTIONS, WEIGHED, answer, what_would_change
from tests.validation.verdict.signs import KEYS, checks


@pytest.mark.parametrize(
    ("outcomes", "conclusion"),
    [
        ({}, "robust"),
        ({"data": "-++"}, "not enough data"),
        ({"data": "++-", "performance": "---", "luck": "---"}, "not enough data"),
        ({"performance": "---"}, "inconclusive"),
        ({"performance": "---", "persistence": "---", "luck": "+++"}, "fitted"),
        ({"performance": "--+", "luck": "-?-"}, "fitted"),
        ({"persistence": "---", "luck": "---"}, "fitted"),
        ({"persistence": "---"}, "inconclusive"),
        ({"persistence": "+--", "robustness": "++"}, "inconclusive"),
        ({"persistence": "+?-"}, "robust"),
        ({"persistence": "+?-", "robustness": "+-"}, "inconclusive"),
        ({"robustness": "--"}, "inconclusive"),
        ({"validity": "-"}, "inconclusive"),
        ({"validity": "?"}, "robust"),
        ({"luck": "+??"}, "inconclusive"),
        ({"luck": "-++"}, "robust"),
        ({"luck": "+--", "performance": "+--"}, "fitted"),
        ({q: "?" * len(k) for q, k in KEYS.items()}, "inconclusive"),
    ],
)
def test_conclusions(outcomes: dict[str, str], conclusion: str) -> None:
    assert conclude_from(checks(**outcomes)) == conclusion


def test_no_single_check_outweighs_the_others() -> None:
    """Through all outcomes of the weighed checks: changing one never leads from robust to fitted or back."""
    best = {q: {} for q in WEIGHED}  # type: ignore[var-annotated]
    for question in WEIGHED:  # answers that a question can have, and those one check away
        for signs in product("+-?", repeat=len(KEYS[question])):
            mine = answer(checks(**{question: "".join(signs)}), question)
            for k, sign in product(range(len(signs)), "+-?"):
                other = "".join((*signs[:k], sign, *signs[k + 1 :]))
                best[question][mine, answer(checks(**{question: other}), question)] = ("".join(signs), other)
    seen = 0
    for question in WEIGHED:
        rest = [q for q in WEIGHED if q != question]
        signs_of = {q: {pair[0]: texts[0] for pair, texts in best[q].items()} for q in rest}
        for answers in product(("yes", "no", "open"), repeat=3):
            fixed = {q: signs_of[q][a] for q, a in zip(rest, answers, strict=True) if a in signs_of[q]}
            for before, after in best[question].values():
                for valid in "+-?":
                    pair = {
                        conclude_from(checks(validity=valid, **fixed, **{question: text})) for text in (before, after)
                    }
                    assert pair != {"robust", "fitted"}, (question, before, after, fixed)
                    seen += 1
    assert seen > 500


def test_nothing_is_robust_or_fitted_by_one_kind_of_evidence() -> None:
    nothing = {q: "?" * len(k) for q, k in KEYS.items()}
    for question, keys in KEYS.items():
        for sign in "+-":
            found = conclude_from(checks(**{**nothing, question: sign * len(keys)}))
            assert found in ("inconclusive", "not enough data"), question


def test_what_would_change_it() -> None:
    nearly = what_would_change(checks(performance="+--", persistence="+++"))
    assert "It would be robust if interval were at least 2." in nearly
    assert "could be done and passed" in what_would_change(checks(luck="+??"))[0]
    worst = checks(**{q: "-" * len(KEYS[q]) for q in ("performance", "persistence", "luck")})
    assert "More than 4" in what_would_change(worst)[0]
    assert what_would_change(checks(luck="+-+")) == ["It would be inconclusive if deflated failed."]
    assert what_would_change(checks()) == [
        "It would stay robust if any single weighed check failed.",
        "It would be inconclusive if Sharpe and interval failed.",
    ]
    close = what_would_change(checks(performance="+?-", luck="---"))
    assert any("fitted if one of these failed" in s for s in close)


def test_every_question_and_conclusion_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "verdict.md").read_text().lower()
    assert not [words for words in (*QUESTIONS.values(), *CONCLUSIONS) if words.lower() not in text]
