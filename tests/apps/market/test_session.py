"""Facts, defects and windows of a series on the Market page."""

from __future__ import annotations

import numpy as np

import maestro as ms
from maestro import synthetic_bars
from maestro.apps.market.session import Place, facts, look, panes, table, window


def test_clean_bars_have_no_places_and_an_empty_table_with_its_columns() -> None:
    market = look(synthetic_bars(100, seed=1))
    assert (market.places, market.marks) == ((), [])
    assert [pane.name for pane in market.panes] == ["volume"]
    assert table(()).columns == ["Severity", "Defect", "Count", "Where", "Meaning"]


def test_a_window_has_40_bars_on_either_side_and_ends_with_the_series() -> None:
    bars = synthetic_bars(100, seed=1)
    time = bars.time
    assert window(bars, Place(0, int(time[45]), int(time[50]))) == (time[5], time[90])
    assert window(bars, Place(0, int(time[3]), int(time[99]))) == (time[0], time[99])


def test_a_fall_is_written_with_a_minus_sign() -> None:
    bars = synthetic_bars(100, seed=1)
    found = facts(bars)
    change = bars.close[-1] / bars.close[0] - 1
    assert found["Length"] == "100 bars"
    assert found["Change"].startswith("\u2212" if change < 0 else "+")
    assert "-" not in found["Change"]


def test_there_is_a_pane_for_everything_the_bars_carry(holed: ms.Bars) -> None:
    assert [pane.name for pane in panes(holed)] == ["volume", "funding", "open interest", "basis"]
    assert [pane.name for pane in panes(ms.load_sample("AAPL"))] == ["volume"]
    for pane in panes(holed):
        assert [len(line.values) for line in pane.lines] == [len(holed)]


def test_a_hole_in_the_panes_is_a_hole(holed: ms.Bars) -> None:
    funding = panes(holed)[1].lines[0].message()["data"]["value"]
    assert holed.funding_rate is not None
    np.testing.assert_array_equal(np.isnan(funding), np.isnan(holed.funding_rate))
    assert 0 < np.isnan(funding).sum() < len(holed)
