"""The preliminary verdict: at once, from the tables alone, by the same rule, and never robust."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.reports import summary_html, verdict_html
from maestro.validation import preliminary_verdict
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import conclude_from
from tests.reports.standin import stand_in

AT_ONCE = {"trades", "folds", "length", "sharpe", "benchmark", "efficiency", "consistency"}


def test_the_checks_that_are_done_agree_with_the_full_verdict(wf: ms.WalkForward, verdict: Verdict) -> None:
    found = preliminary_verdict(wf)
    assert {check.key for check in found.checks if check.outcome != "not done"} == AT_ONCE
    for key in AT_ONCE:
        assert found[key] == verdict[key]
    assert found.conclusion == conclude_from(found.checks)
    assert (found.summary, found.warnings) == (verdict.summary, verdict.warnings)


def test_it_needs_neither_bars_nor_files(wf: ms.WalkForward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = preliminary_verdict(wf)
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    loaded.manifest["python"] = ""
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "none"))
    assert str(preliminary_verdict(loaded)) == str(before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("edge", "conclusion", "words"),
    [
        (0.0005, "inconclusive", "So far it performed out of sample"),
        (-0.0003, "fitted", "it did not perform out of sample and in-sample performance did not persist"),
    ],
)
def test_good_results_are_at_most_inconclusive_and_bad_ones_fitted(edge: float, conclusion: str, words: str) -> None:
    found = stand_in(edge=edge).verdict
    assert found.preliminary
    assert found.conclusion == conclusion
    assert words in found.headline
    assert found.name == f"Preliminary: {conclusion}"


def test_it_is_shown_wherever_a_walk_forward_is_shown(tmp_path: Path) -> None:
    made = stand_in(edge=0.0005)
    assert "verdict: inconclusive (preliminary)" in repr(made)
    page = made.report(tmp_path / "r.html").read_text()
    for text in (page, summary_html(made)):
        assert "Preliminary: inconclusive" in text
        assert made.verdict.headline in text
        assert "ms.verdict(wf)" in text
    assert "Not done yet: Break-even costs, Parameters shifted by 10" in verdict_html(made.verdict)


def test_a_run_without_a_result_has_one_too() -> None:
    found = stand_in(folds=3, failed=(0, 1, 2)).verdict
    assert found.conclusion == "not enough data"
    assert found.summary == ""
    assert "nan" not in str(found).lower()
