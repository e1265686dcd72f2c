"""The strip of a permutation test: a dot for each permuted series and a line for the real one, in their places."""

from __future__ import annotations

import re

import pytest

from maestro.reports.page.verdict import strip


def test_dots_and_line_are_in_their_places() -> None:
    shown = str(strip([0.0, 1.0, 0.5], 2.0))
    assert "3 permuted series from 0.00 to 1.00, the real one 2.00" in shown
    places = [float(x) for x in re.findall(r'(?:cx|x1)="([\d.]+)"', shown)]
    assert {6.0, 78.0, 150.0, 294.0} <= set(places)


@pytest.mark.parametrize("observed", [1.0, -1.0])
def test_equal_values_are_no_division_by_zero(observed: float) -> None:
    assert "nan" not in str(strip([observed, observed], observed)).lower()
