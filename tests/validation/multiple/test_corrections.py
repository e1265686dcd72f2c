"""Corrections for many tests against statsmodels and by hand."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from maestro.errors import SettingsError
from maestro.validation.multiple import benjamini_hochberg, holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_both_equal_statsmodels(pvalues: list[float]) -> None:
    for own, name in ((benjamini_hochberg, "fdr_bh"), (holm, "holm")):
        with patch("gc.collect"):  # statsmodels collects garbage in each call, 0.5 s in a process as large as the suite
            wanted = multipletests(pvalues, method=name)[1]
        assert own(pvalues) == pytest.approx(wanted, abs=1e-14)


def test_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])


def test_what_is_not_known_does_not_count() -> None:
    for own in (benjamini_hochberg, holm):
        found = own([0.01, np.nan, 0.04])
        assert np.isnan(found[1])
        assert found[[0, 2]].tolist() == own([0.01, 0.04]).tolist()
        assert len(own([])) == 0


@pytest.mark.parametrize("wrong", [[-0.1], [1.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(wrong: object) -> None:
    with pytest.raises(SettingsError, match="from 0 to 1"):
        holm(wrong)
