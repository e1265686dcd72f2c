"""Distributions and paths: shares add up to 1, the observed value is marked, time is in milliseconds."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from maestro.reports.figures.trade_luck import cpcv_figure, distribution, monte_carlo_figure, random_entries_figure
from tests.reports.figures.sources import data_with


def test_shares_of_a_distribution_add_up_to_1() -> None:
    fig = distribution(np.arange(100.0), 42.0, "Sharpe ratio", height=200)
    assert data_with(fig, "left", "top")["top"].sum() == pytest.approx(1.0)
    assert [item.label.value for item in fig.legend[0].items] == ["Paths", "As it came"]


def test_an_undefined_observation_has_no_line_and_no_value_no_bars() -> None:
    fig = distribution(np.array([1.0, 1.0]), math.nan, "x", height=200)
    assert len(fig.legend[0].items) == 1
    assert data_with(distribution(np.array([]), 1.0, "x", height=200), "top")["top"].sum() == 0.0


def test_values_that_are_not_finite_are_left_out() -> None:
    found = SimpleNamespace(null=np.array([1.0, math.nan, 2.0, math.inf]), observed=1.5, metric="sharpe_ratio")
    assert data_with(random_entries_figure(found), "left", "right")["right"][-1] == 2.0


def test_bands_are_quantiles_of_the_paths() -> None:
    sample = np.tile(np.arange(1.0, 102.0)[:, None], (1, 4))
    found = SimpleNamespace(
        sample=sample, figures={"max_drawdown": -np.linspace(0.0, 0.5, 101)}, observed={"max_drawdown": -0.2}
    )
    fan, _ = monte_carlo_figure(found).children
    data = data_with(fan, "q0", "q4")
    assert [float(data[f"q{k}"][0]) for k in range(5)] == pytest.approx([6.0, 26.0, 51.0, 76.0, 96.0])


def test_paths_of_a_cross_validation_are_compounded() -> None:
    found = SimpleNamespace(stamps=np.array([0, 1_000_000]), returns=np.array([[0.1, 0.0], [0.1, -0.5]]))
    fig = cpcv_figure(found)
    paths, median = (renderer.data_source.data for renderer in fig.renderers[:2])
    assert [list(one) for one in paths["ys"]] == [pytest.approx([1.1, 1.21]), pytest.approx([1.0, 0.5])]
    assert list(paths["xs"][0]) == [0.0, 1_000.0]
    assert list(median["y"]) == pytest.approx([1.05, 0.855])
