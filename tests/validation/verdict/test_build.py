"""The verdict on walk-forwards: what is computed, what is not done and why, progress and cancelling."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import BarsError, RunCancelled, SettingsError
from maestro.validation import permutation_test
from maestro.validation.verdict.result import Verdict


def test_it_depends_on_run_seed_and_repetitions_only(wf: ms.WalkForward, verdict: Verdict) -> None:
    again = ms.verdict(wf, workers=2, save=False)
    assert json.dumps(again.to_dict()["checks"]) == json.dumps(verdict.to_dict()["checks"])


def test_nothing_is_counted(wf: ms.WalkForward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    ms.verdict(wf, permutations=2, workers=1, save=False)
    assert not list(tmp_path.rglob("*.ledger"))


def test_without_bars_what_needs_them_is_not_done(wf: ms.WalkForward) -> None:
    loaded = ms.load_run(wf.folder)  # type: ignore[arg-type]
    loaded.manifest["python"] = "bars = ..."
    found = ms.verdict(loaded, workers=1, save=False)
    assert set(found.table.filter(pl.col("outcome") == "not done")["check"]) == {
        found[key].title for key in ("lookahead", "pbo", "permutation", "spa", "costs", "shifts")
    }
    assert "does not say where its bars" in found["lookahead"].meaning
    assert found["pbo"].meaning == "Not done for the same reason."
    assert found.conclusion != "robust"
    with pytest.raises(BarsError, match="these are not the bars"):
        ms.verdict(loaded, ms.load("sample:IBM"), save=False)


def test_no_permutations_are_one_check_that_is_not_done(wf: ms.WalkForward) -> None:
    found = ms.verdict(wf, permutations=0, save=False)
    assert {c.key for c in found.checks if c.outcome == "not done"} == {"permutation"}
    assert found["permutation"].meaning == "Not requested: permutations=0."


def test_a_permutation_test_that_was_made_is_taken_over(wf: ms.WalkForward, verdict: Verdict) -> None:
    made = permutation_test(wf, repetitions=3, workers=1, seed=5)
    found = ms.verdict(wf, permutations=made, save=False)
    assert found["permutation"].value == made.pvalue
    with pytest.raises(SettingsError, match="belongs to another run"):
        ms.verdict(wf, permutations=replace(made, observed=made.observed + 1), save=False)


def test_progress_and_cancelling(wf: ms.WalkForward) -> None:
    seen: list[tuple[float, str]] = []
    ms.verdict(wf, permutations=2, workers=1, save=False, progress=lambda share, text: seen.append((share, text)))
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert seen[-1] == (1.0, "done")
    for count in (0, 3, 5, 6):
        stop = threading.Event()
        steps: list[str] = []

        def cancel(
            share: float, text: str, stop: threading.Event = stop, steps: list[str] = steps, count: int = count
        ) -> None:
            steps.append(text)
            if len(steps) > count:
                stop.set()

        with pytest.raises(RunCancelled, match="nothing was written"):
            ms.verdict(wf, permutations=5, workers=1, progress=cancel, cancel=stop)


@pytest.mark.parametrize("given", [-1, True, "19", 1.5])
def test_impossible_permutations(wf: ms.WalkForward, given: Any) -> None:
    with pytest.raises(SettingsError, match="permutations"):
        ms.verdict(wf, permutations=given)


def test_few_trades_and_folds_are_not_enough_data() -> None:
    wf = ms.walk_forward(
        ms.load("sample:GOOG")[:400], "EmaCrossStrategy", splitter="rolling:4,2,1", trials=3, workers=1
    )
    found = ms.verdict(wf, permutations=0)
    assert found.conclusion == "not enough data"
    assert found["trades"].outcome == "fail"
    assert "Too small: " in found.headline
    assert any("more bars" in change for change in found.changes)


class Broken(ms.Strategy):
    """Fails on every window."""

    level = ms.Int(1, 1, 5)

    def warmup(self, params: object = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        raise RuntimeError("no")


def test_a_run_in_which_every_fold_failed_has_a_verdict_too() -> None:
    wf = ms.walk_forward(ms.load("sample:IBM"), Broken, trials=2, workers=1)
    found = ms.verdict(wf)
    assert found.conclusion == "not enough data"
    assert found.warnings[0].title == f"{len(wf.folds)} folds of {len(wf.folds)} failed"
    assert "Verdict(not enough data" in repr(found)
    assert "NaN" not in found.to_json().decode()


class Peeks(ms.Strategy):
    """Buys before the close rises, which nobody can know."""

    length = ms.Int(1, 1, 3)

    def warmup(self, params: object = None) -> int:
        return 0

    def signals(self, bars: ms.Bars) -> ms.Signals:
        ahead = np.roll(bars.close, -self.length - 1) > bars.close
        return ms.Signals(long_entry=ahead, long_exit=~ahead)


def test_a_rule_that_looks_ahead_is_never_robust() -> None:
    wf = ms.walk_forward(ms.load("sample:MSFT"), Peeks, trials=3, workers=1)
    assert wf.metrics["sharpe_ratio"] > 3
    found = ms.verdict(wf, permutations=2, workers=1)
    assert found["lookahead"].outcome == "fail"
    assert found.conclusion == "inconclusive"
    assert "The figures of this run cannot be trusted: the test for look-ahead failed." in found.headline
    closes = ms.walk_forward(ms.load("sample:MSFT"), "EmaCrossStrategy", trials=2, workers=1, fill="close")
    assert ms.verdict(closes, permutations=0)["lookahead"].outcome == "fail"


def test_a_loaded_run_of_a_user_defined_strategy_needs_its_class(tmp_path: Path) -> None:
    made = ms.walk_forward(ms.load("sample:MSFT"), Peeks, trials=2, workers=1, runs_dir=tmp_path)
    loaded = ms.load_run(made.id, tmp_path)
    assert "give its class" in ms.verdict(loaded, permutations=0, save=False)["lookahead"].meaning
    assert ms.verdict(loaded, permutations=0, save=False, strategy=Peeks)["pbo"].outcome != "not done"


def test_a_test_of_a_draw_of_the_sets_says_so(wf: ms.WalkForward, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ms.verdict(wf, permutations=0, workers=1, save=False)["spa"]
    monkeypatch.setattr("maestro.validation.verdict.build._SETS", 25)
    drawn = ms.verdict(wf, permutations=0, workers=1, save=False)["spa"]
    distinct = whole.details["rules"]
    assert f"none of the {distinct:,} distinct sets that the folds tried could" in whole.meaning
    assert f"none of 25 sets, drawn from the {distinct:,} distinct ones of the folds, could" in drawn.meaning
