"""Trials are counted as they finish, and never prevent a result."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.ledger import Ledger, ledgers, scored, uncounted, verify
from tests.ledger.bars import errors, evaluated, run


def test_a_setting_that_was_looked_at_counts_once(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fast in (5, 6, 7, 6, 5):
        assert scored(ms.backtest(bars, "EmaCrossStrategy", params={"fast": fast})) == ()
    assert (Ledger(bars).trials.distinct, Ledger(bars).trials.evaluated) == (3, 5)
    scored(ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5}, costs=ms.Costs(fee=0.0)))
    assert Ledger(bars).n_trials == 4
    scored(ms.backtest(bars, ms.strategy("EmaCrossStrategy").signals(bars)))
    assert Ledger(bars).n_trials == 5
    assert not errors(verify())
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "a file"))
    [note] = scored(ms.backtest(bars, "EmaCrossStrategy"))
    assert note.startswith("1 trial could not be entered")


def test_what_chooses_nothing_is_not_counted(bars: ms.Bars) -> None:
    with uncounted("a permutation test"):
        run(bars)
        ms.sweep(bars, "EmaCrossStrategy", n=5)
    assert Ledger(bars).n_trials == 0
    assert not ledgers()


def test_a_folder_that_cannot_be_written_costs_no_result(
    bars: ms.Bars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path / "a file"))
    wf = run(bars)
    [note] = [one for one in wf.notes if "ledger" in one]
    assert note.startswith(f"{evaluated(wf)} trials could not be entered in the ledger")
    assert "MAESTRO_LEDGER_DIR" in note
    assert "ledger" not in wf.manifest
    sw = ms.sweep(bars, "EmaCrossStrategy", n=5)
    assert sw.notes[0].startswith("5 trials could not be entered")
