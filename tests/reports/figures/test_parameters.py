"""Parameters over the folds: failed folds are left out."""

from __future__ import annotations

import math

from maestro import reports
from tests.reports.figures.sources import data_with
from tests.reports.standin import StandIn


def test_parameter_figures_leave_failed_folds_out(wf: StandIn) -> None:
    numbers = data_with(reports.parameter_figure(wf, "fast"), "x", "y")
    assert math.isnan(numbers["y"][4])
    assert [v for i, v in enumerate(numbers["y"]) if i != 4] == wf.folds["fast"].drop_nulls().to_list()
    options = data_with(reports.parameter_figure(wf, "exit"), "x", "y")
    assert 4 not in options["x"]
    assert set(options["y"]) <= {"cross", "trail"}
