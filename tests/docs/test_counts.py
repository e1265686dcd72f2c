"""No text states how many strategies, apps or metrics there are: such a number is wrong after the next addition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import maestro as ms
from maestro.cli import COMMANDS

ROOT = Path(__file__).parents[2]
WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "twenty-one",
    "twenty-two", "twenty-three", "twenty-four", "twenty-five",
)  # fmt: skip
COUNTS = {
    "strategies|rules": len(ms.strategies()),
    "apps": len(list((ROOT / "widgets").glob("*.py"))),
    "commands": len(COMMANDS),
    "metrics": len(ms.metrics.NAMES),
    "notebooks": len(list((ROOT / "notebooks").glob("*.ipynb"))),
    "samples": len(ms.samples()),
}
"""Nouns and how many of them there are now."""
TEXTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted(path for top in ("maestro", "widgets") for path in (ROOT / top).rglob("*.py")),
    *sorted((ROOT / "maestro").rglob("*.html")),
]


def stated(text: str) -> list[str]:
    """Return the passages of a text that state a present count, in digits or words."""
    found = []
    for nouns, count in COUNTS.items():
        number = "|".join([str(count), *WORDS[count : count + 1]])
        pattern = rf"(?<![\w.,:-])(?:{number}) (?:(?:built-in|compiled|other|real|trading) )*(?:{nouns})\b"
        found += [match.group() for match in re.finditer(pattern, text, re.IGNORECASE)]
    return found


def test_no_text_states_a_count() -> None:
    wrong = {str(path.relative_to(ROOT)): stated(path.read_text(encoding="utf-8")) for path in TEXTS}
    assert len(wrong) > 500, "are the texts still found?"
    assert {name: passages for name, passages in wrong.items() if passages} == {}


@pytest.mark.parametrize("nouns", COUNTS)
def test_a_stated_count_is_found(nouns: str) -> None:
    noun, count = nouns.split("|")[0], COUNTS[nouns]
    assert count > 1
    assert stated(f"All {count} built-in {noun} are listed.") == [f"{count} built-in {noun}"]
    assert not stated(f"All {noun} are listed; {count}.5 of them.")
    if count < len(WORDS):
        assert stated(f"{WORDS[count].capitalize()} {noun} with one design.") == [f"{WORDS[count].capitalize()} {noun}"]
