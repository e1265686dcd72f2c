"""Checks made from signs: ``checks(performance="++-")``."""

from __future__ import annotations

from typing import Any

from maestro.validation import Check

KEYS: dict[str, tuple[str, ...]] = {
    "data": ("trades", "folds", "length"), "validity": ("lookahead",),
    "performance": ("sharpe", "interval", "benchmark"), "persistence": ("efficiency", "consistency", "pbo"),
    "luck": ("deflated", "permutation", "spa"), "robustness": ("costs", "shifts"),
}  # fmt: skip
"""Keys of the checks of each question."""


def check(key: str, question: Any, outcome: Any) -> Check:
    return Check(key, key.capitalize(), question, outcome, 1.0, 2.0, True, "1", "at least 2", "Words.")


def checks(**outcomes: str) -> list[Check]:
    """All checks, their outcomes by question; passed if nothing is given."""
    signs = {"+": "pass", "-": "fail", "?": "not done"}
    found = []
    for question, keys in KEYS.items():
        given = outcomes.get(question, "+" * len(keys))
        found += [check(key, question, signs[sign]) for key, sign in zip(keys, given, strict=True)]
    return found
