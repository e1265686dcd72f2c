"""Looks at the other series: tallies add up, and a repetition counts once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import maestro as ms
from maestro.ledger import Ledger, Tally
from maestro.ledger.series import series_of
from maestro.walkforward.many.looks import record_looks


def test_each_ledger_gets_the_tally_of_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    rng = np.random.default_rng(0)
    sharpes = [rng.normal(size=n) for n in (3, 5, 7)]
    bars = [ms.synthetic_bars(50, k, "1d") for k in range(3)]
    tried = {series_of(b): (b, Tally.of(s)) for b, s in zip(bars, sharpes, strict=True)}
    for _ in range(2):
        assert record_looks(tried, "run", "rules") == []
    for k, one in enumerate(bars):
        others = np.concatenate([s for j, s in enumerate(sharpes) if j != k])
        found = Ledger(one).trials
        assert found.distinct == len(others)
        assert found.evaluated == 2 * len(others)
        assert found.variance == pytest.approx(others.var(ddof=1))


def test_one_series_has_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))
    bars = ms.synthetic_bars(50, 9, "1d")
    assert record_looks({"only": (bars, Tally(5))}, "run", "rule") == []
    assert Ledger(bars).n_trials == 0
