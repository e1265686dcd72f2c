"""Downsampling keeps peaks and troughs."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.reports.figures.downsampling import thin


@pytest.mark.parametrize("n", [10, 2_000, 2_001, 57_000])
def test_thinning_keeps_peaks_and_troughs(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n).cumsum(), rng.normal(size=n).cumsum()
    a[n // 3], b[n // 2] = 1e6, -1e6
    rows = thin(a, b)
    assert len(rows) <= 2_000
    assert (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert (a[rows].max(), a[rows].min(), b[rows].max(), b[rows].min()) == (a.max(), a.min(), b.max(), b.min())


def test_thinning_passes_over_nan() -> None:
    values = np.full(10_000, np.nan)
    values[7_777] = 3.0
    assert 7_777 in thin(values)
