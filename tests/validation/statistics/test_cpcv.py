"""Combinatorial purged cross-validation against skfolio's splits, and on trials whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.validation.statistics.cpcv import cpcv, group_edges, purged_splits


@pytest.mark.parametrize(
    ("n", "groups", "test", "purge", "embargo"), [(1_003, 10, 2, 7, 3), (500, 6, 3, 0, 0), (240, 8, 4, 5, 2)]
)
def test_splits_are_those_of_skfolio(n: int, groups: int, test: int, purge: int, embargo: int) -> None:
    oracle = pytest.importorskip("skfolio.model_selection").CombinatorialPurgedCV(groups, test, purge, embargo)
    own = purged_splits(n, groups, test, purge, embargo)
    assert len(own) == oracle.n_splits == math.comb(groups, test)
    edges, used = group_edges(n, groups), np.zeros(groups, int)
    for (training, tests), (tested, intervals), ids in zip(
        oracle.split(np.zeros((n, 1))), own, oracle.get_path_ids(), strict=True
    ):
        np.testing.assert_array_equal(np.concatenate([np.arange(a, b) for a, b in intervals]), training)
        np.testing.assert_array_equal([t[0] for t in tests], [edges[g] for g in tested])
        assert [int(used[g]) for g in tested] == list(ids)
        used[list(tested)] += 1


def test_every_path_covers_all_bars_with_returns_of_the_sets() -> None:
    bars = ms.load_sample("AAPL")
    wf = ms.walk_forward(bars, "EmaCrossStrategy", trials=15, executor="serial")
    found = cpcv(wf, groups=6, test=2)
    assert found.returns.shape[1] == math.comb(6, 2) * 2 // 6 == len(found.table)
    assert np.isfinite(found.returns).all()
    returns = ms.validation.trial_returns(wf).returns
    edges = group_edges(len(returns), 6)
    for row in found.splits.to_dicts():
        a, b = edges[row["groups"][0]], edges[row["groups"][0] + 1]
        column = returns[a:b, row["chosen"]]
        assert any(np.array_equal(found.returns[a:b, p], column) for p in range(found.returns.shape[1]))
    assert found.purge >= 100  # the longest warm-up of the sets is a slow average of up to 200 bars
    assert "15 splits, 5 paths" in repr(found)


def test_the_score_is_the_sharpe_ratio_of_the_training_bars() -> None:
    bars = ms.load_sample("AAPL")
    wf = ms.walk_forward(bars, "RSIStrategy", trials=10, executor="serial")
    found = cpcv(wf, groups=5, test=2, purge=30, embargo=5)
    returns = ms.validation.trial_returns(wf).returns
    for row, (_, training) in zip(found.splits.to_dicts(), purged_splits(len(returns), 5, 2, 30, 5), strict=True):
        part = np.concatenate([returns[a:b] for a, b in training])
        with np.errstate(invalid="ignore"):
            sharpe = part.mean(axis=0) / part.std(axis=0, ddof=1) * math.sqrt(252)
        assert row["train_sharpe"] == pytest.approx(np.nanmax(sharpe), rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"groups": 2}, "groups=2"),
        ({"test": 1}, "test=1"),
        ({"groups": 4, "test": 4}, "leaves none for training"),
        ({"groups": 40, "test": 20}, "more than 5,000"),
        ({"purge": -1}, "purge=-1"),
        ({"purge": 2_000}, "leave no training bar"),
        ({"embargo": 1.5}, "embargo=1.5"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], words: str) -> None:
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", trials=3, executor="serial")
    with pytest.raises(SettingsError, match=words):
        cpcv(wf, **settings)  # type: ignore[arg-type]
