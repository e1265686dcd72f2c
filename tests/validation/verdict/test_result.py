"""The verdict as an object: its file is whole or refused, its text and HTML hold every check, escaped."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import maestro as ms
from maestro.errors import RunError
from maestro.reports import verdict_html
from maestro.validation.verdict.notes import Caveat
from maestro.validation.verdict.result import Verdict


def test_it_is_kept_with_the_run_and_shown_without_computing(wf: ms.WalkForward, verdict: Verdict) -> None:
    assert wf.folder is not None
    assert (wf.folder / "verdict.json").exists()
    loaded = ms.load_run(wf.folder)
    assert str(loaded.verdict) == str(verdict)
    assert loaded.verdict.conclusion == verdict.conclusion
    assert f"verdict: {verdict.conclusion};" in repr(loaded)
    page = loaded.report(wf.folder / "report.html").read_text()
    assert page.count('id="verdict"') == 1
    assert 'href="#verdict"' in page
    assert verdict["spa"].title in page
    assert f"Verdict: {verdict.conclusion}." in loaded._repr_html_()


def test_a_round_trip_keeps_everything(verdict: Verdict) -> None:
    odd = replace(verdict, warnings=(Caveat("Ruin", "It ended."),), preliminary=True)
    again = Verdict.from_json(odd.to_json(), verdict.run)
    assert again.warnings == odd.warnings
    assert again.preliminary
    assert (again.summary, again.notes, again.hints) == (odd.summary, odd.notes, odd.hints)
    assert str(again) == str(odd)


def test_a_flipped_bit_and_a_foreign_verdict_are_found(wf: ms.WalkForward, verdict: Verdict, tmp_path: Path) -> None:
    copy = tmp_path / wf.id
    shutil.copytree(wf.folder, copy)  # type: ignore[arg-type]
    content = (copy / "verdict.json").read_bytes()
    (copy / "verdict.json").write_bytes(content.replace(b'"fail"', b'"pass"', 1))
    loaded = ms.load_run(copy)
    with pytest.raises(RunError, match=r"verdict\.json is damaged"):
        _ = loaded.verdict
    assert "is damaged" in loaded.report(tmp_path / "r.html").read_text()
    assert "is damaged" in loaded._repr_html_()
    (copy / "verdict.json").write_bytes(replace(verdict, run="0" * 16).to_json())
    with pytest.raises(RunError, match="it belongs to run 0000"):
        _ = ms.load_run(copy).verdict
    (copy / "verdict.json").write_bytes(b"")
    with pytest.raises(RunError, match="damaged"):
        _ = ms.load_run(copy).verdict


def test_a_file_of_another_format_is_refused_with_the_version_that_wrote_it(wf: ms.WalkForward, tmp_path: Path) -> None:
    """A file as Maestro wrote it before the format had a number."""
    assert wf.folder is not None
    copy = tmp_path / wf.id
    shutil.copytree(wf.folder, copy)
    old = {"run": wf.id, "strategy": "s", "series": "x", "conclusion": "robust", "answers": {"earned": "yes"},
           "changes": [], "checks": [], "hints": [], "notes": [], "settings": {"maestro": "0.0.9"}}  # fmt: skip
    text = json.dumps(old, indent=1)
    head = json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest()})
    (copy / "verdict.json").write_text(f"{head}\n{text}\n")
    loaded = ms.load_run(copy)
    with pytest.raises(RunError, match=r"written by Maestro 0\.0\.9 in format 1; .* maestro verdict \w+ --force"):
        _ = loaded.verdict
    assert "verdict unreadable" in repr(loaded)
    page = loaded.report(tmp_path / "r.html").read_text()
    assert "written by Maestro 0.0.9" in page
    assert "Preliminary: " in page
    assert ms.verdict(loaded, permutations=0, save=True).conclusion == ms.load_run(copy).verdict.conclusion


def test_text_and_html_hold_every_check_escaped(verdict: Verdict) -> None:
    odd = replace(verdict, strategy="<b>Rule</b>")
    html = odd._repr_html_()
    assert "<b>Rule</b>" not in html
    assert "&lt;b&gt;Rule" in html
    for one in verdict.checks:
        assert one.title in html
        assert one.title in str(verdict)
    assert 'class="strip"' in verdict_html(verdict)
    assert verdict.conclusion.upper() in str(verdict)
