"""Checks of other packages: they count like the built-in ones, and what is wrong with one is a note."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import maestro as ms
from maestro._core import registry

CODE = """
from maestro.validation import Check
from maestro.validation.verdict.checks import make_check

def calm(inputs):
    value = inputs.evidence.exposure
    return make_check(
        "calm", "Time in the market", "robustness", value, 2.0, value_text=f"{value:.0%}",
        threshold_text="at least 200 %", meaning="It is a test.",
    )

def renamed(inputs):
    return calm(inputs)

def nothing(inputs):
    return None

def odd(inputs):
    return Check("odd", "Odd", "beauty", "pass", 1.0, 1.0, True, "1", "1", "No.")

def raises(inputs):
    raise ZeroDivisionError("oh")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install checks of a package for one test."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(*names: str) -> None:
        (tmp_path / "acme_checks.py").write_text(CODE)
        info = tmp_path / "acme_checks-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n")
        lines = "\n".join(f"{name} = acme_checks:{name}" for name in names)
        (info / "entry_points.txt").write_text(f"[maestro.checks]\n{lines}\n")
        registry._plugins.cache_clear()

    yield make
    registry._plugins.cache_clear()


def test_a_check_of_a_plug_in_is_part_of_the_verdict(wf: ms.WalkForward, install: Callable[..., None]) -> None:
    before = ms.verdict(wf, permutations=0, save=False)
    install("calm")
    found = ms.verdict(wf, permutations=0, save=False)
    assert found["calm"].outcome == "fail"
    assert found.checks[:-1] == before.checks
    assert found.notes == before.notes
    for shown in (str(found), found._repr_html_()):
        assert "Time in the market" in shown
    assert "calm" not in [check.key for check in wf.__class__(wf.manifest, vars(wf)).verdict.checks]


def test_what_is_wrong_with_a_plug_in_is_a_note(wf: ms.WalkForward, install: Callable[..., None]) -> None:
    before = ms.verdict(wf, permutations=0, save=False)
    install("renamed", "nothing", "odd", "raises", "missing")
    found = ms.verdict(wf, permutations=0, save=False)
    assert found.checks == before.checks
    problems = "\n".join(found.notes[: len(found.notes) - len(before.notes)])
    for words in (
        "its key is 'calm'", "it returned a NoneType", "its question is 'beauty'", "failed: ZeroDivisionError: oh",
        "the verdict check 'missing' of the package acme-checks 1.0 cannot be loaded",
    ):  # fmt: skip
        assert words in problems
