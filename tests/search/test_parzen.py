"""The arithmetic of the TPE: the order of trials and the kernels of options."""

from __future__ import annotations

import numpy as np

from maestro.search import parzen


def test_trials_are_kept_in_order_of_value_then_number() -> None:
    observed = np.array([[3.0, 1.0, 2.0, 1.0]])
    order = np.zeros((1, 4), np.int64)
    parzen.insert(order, observed, 0, 2)
    parzen.insert(order, observed, 2, 4)
    assert order.tolist() == [[1, 3, 2, 0]]


def test_a_kernel_prefers_its_own_option() -> None:
    draws = [parzen._option(u, 1, 3, 4) for u in (np.arange(1600) + 0.5) / 1600]
    counts = np.bincount(np.array(draws, np.int64))
    assert counts.tolist() == [200, 1200, 200]  # weights 1/5, 6/5 and 1/5 of 8/5
