"""In sample against out of sample: a point for each fold with figures."""

from __future__ import annotations

import polars as pl

from maestro import reports
from tests.reports.figures.sources import data_with
from tests.reports.standin import StandIn


def test_scatter_has_a_point_for_every_fold_with_figures(wf: StandIn) -> None:
    data = data_with(reports.is_oos_scatter(wf), "x", "y", "fold")
    good = wf.folds.filter(pl.col("error").is_null())
    assert list(data["fold"]) == [str(f) for f in good["fold"]]
    assert list(data["x"]) == good["is_sharpe_ratio"].to_list()
    assert list(data["y"]) == good["oos_sharpe_ratio"].to_list()
