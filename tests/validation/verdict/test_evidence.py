"""The evidence of a verdict, against independent arithmetic."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from maestro.validation.verdict.evidence import gather
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(failed=(4,))


def test_evidence_leaves_failed_folds_out(wf: StandIn) -> None:
    found = gather(wf)
    good = wf.folds.filter(pl.col("error").is_null())
    assert (found.folds, found.failed, found.evaluated) == (9, 1, 8)
    assert found.profitable == sum(r > 0 for r in good["oos_total_return"])
    growth = np.mean([math.log1p(a) for a in good["is_annual_return"]])  # windows of one length: equal weights
    assert found.is_annual == pytest.approx(math.expm1(growth))
    assert found.efficiency == pytest.approx(wf.metrics["annual_return"] / found.is_annual)
    assert found.trades == len(wf.trades)
    assert found.tried == (wf.trials["state"] == "complete").sum()
    assert found.benchmark_return == pytest.approx(wf.equity["benchmark"][-1] / 100_000 - 1)
    assert not found.overlapping


def test_rank_correlation_agrees_with_scipy(wf: StandIn) -> None:
    stats = pytest.importorskip("scipy.stats")
    good = wf.folds.filter(pl.col("error").is_null())
    expected = stats.spearmanr(good["is_sharpe_ratio"], good["oos_sharpe_ratio"]).statistic
    assert gather(wf).agreement == pytest.approx(expected)


def test_overlapping_windows_are_seen(wf: StandIn) -> None:
    late = wf.folds.with_columns(test_end=pl.col("test_end") + timedelta(hours=5))
    assert gather(wf.but(folds=late)).overlapping
