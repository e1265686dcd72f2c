"""Distribution of trials: the chosen one is marked, the size bounded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from maestro import reports
from tests.reports.figures.sources import data_with, sources_of
from tests.reports.standin import StandIn, stand_in


def test_trials_show_the_chosen_one_and_what_it_did(wf: StandIn) -> None:
    fig = reports.trial_distribution(wf)
    chosen = data_with(fig, "after", "rank")
    good = wf.folds.filter(pl.col("error").is_null())
    assert chosen["y"] == good["is_sharpe_ratio"].to_list()
    assert chosen["after"] == good["oos_sharpe_ratio"].to_list()
    assert all(rank.startswith("1 of ") for rank in chosen["rank"])
    boxes = data_with(fig, "q1", "median")
    first = wf.trials.filter((pl.col("fold") == 0) & (pl.col("state") == "complete"))["sharpe_ratio"].to_numpy()
    assert boxes["median"][0] == pytest.approx(np.median(first))


def test_trials_are_cut_to_a_size_that_a_page_can_hold() -> None:
    wf = stand_in(folds=5, trials=3_000)
    dots = next(d for d in sources_of(reports.trial_distribution(wf)) if set(d) == {"x", "y", "fold"})
    assert len(dots["x"]) <= 2_000
    complete = wf.trials.filter(pl.col("state") == "complete")["sharpe_ratio"]
    assert (max(dots["y"]), min(dots["y"])) == (complete.max(), complete.min())
