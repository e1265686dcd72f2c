"""Small pictures: a curve over the span of all, ruin, and the histogram of p-values."""

from __future__ import annotations

import re

import numpy as np
import pytest

from maestro.reports.many.curves import POINTS, p_histogram, sparkline


def points(svg: str) -> list[tuple[float, float]]:
    found = re.search(r'points="([^"]*)"', svg)
    assert found is not None
    return [(float(a), float(b)) for a, b in (pair.split(",") for pair in found[1].split())]


def test_a_curve_lies_where_its_days_lie() -> None:
    days = np.arange(50, 100)
    svg = sparkline(days, np.exp(np.linspace(0, 1, 50)), (0, 99), width=102, height=34)
    drawn = points(svg)
    assert drawn[0][0] == pytest.approx(1 + 50 / 99 * 100, abs=0.1)
    assert drawn[-1] == (101.0, 2.0)
    assert drawn[0][1] == 32.0
    assert 'class="spark up"' in svg
    assert len(points(sparkline(np.arange(5_000), np.ones(5_000), (0, 5_000)))) == POINTS


def test_a_ruined_account_ends_its_curve() -> None:
    svg = sparkline(np.arange(4), np.array([1.0, 0.5, -0.1, -0.1]), (0, 3))
    assert len(points(svg)) == 2
    assert 'class="spark down"' in svg
    assert sparkline(np.arange(2), np.array([-1.0, -1.0]), (0, 3)) == ""


def test_labels_are_escaped() -> None:
    assert "<b>" not in sparkline(np.arange(2), np.ones(2), (0, 1), label="<b>")


def test_the_histogram_counts_by_twentieths() -> None:
    svg = p_histogram(np.array([0.01, 0.02, 0.5, 1.0]))
    titles = re.findall("<title>([^<]*)</title>", svg)
    assert len(titles) == 20
    assert titles[0] == "p from 0.00 to 0.05: 2, 0.2 expected"
    assert titles[19].endswith(": 1, 0.2 expected")
    assert "no p-value" in p_histogram(np.empty(0))
