"""Regimes drawn: each state's line runs to the next bar and no further, and new fits are marked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.models.annotations import Span

import maestro as ms
from maestro.reports.figures.regimes import regime_figure, state_color
from maestro.walkforward.columns import timestamps_ms


@pytest.fixture(scope="module")
def history() -> SimpleNamespace:
    """Ten bars: two without a state, then the states 0, 0, 1, 1, 1, 0, 0, 0."""
    state = np.array([-1, -1, 0, 0, 1, 1, 1, 0, 0, 0])
    probabilities = np.stack([np.where(state < 0, np.nan, state == k) for k in (0, 1)], axis=1)
    return SimpleNamespace(
        bars=ms.synthetic_bars(100, seed=1)[:10], settings=SimpleNamespace(states=2), state=state,
        probabilities=probabilities, used_from=[2, 6],
    )  # fmt: skip


def test_a_line_runs_from_each_bar_of_its_state_to_the_next_bar(history: SimpleNamespace) -> None:
    top, _ = regime_figure(history).children
    assert [item.label.value for item in top.legend[0].items] == ["State 0", "State 1"]
    for state, shown in ((0, [2, 3, 4, 7, 8, 9]), (1, [4, 5, 6, 7])):
        [line] = top.legend[0].items[state].renderers
        assert np.flatnonzero(np.isfinite(line.data_source.data["close"])).tolist() == shown
        assert line.glyph.line_color == state_color(state)


def test_new_fits_are_marked_in_both_figures(history: SimpleNamespace) -> None:
    time = timestamps_ms(history.bars.to_frame()["timestamp"])
    for figure in regime_figure(history).children:
        spans = [one.location for one in figure.select({"type": Span}) if one.dimension == "height"]
        assert sorted(spans) == [time[2], time[6]]


def test_neighbouring_states_have_other_colours() -> None:
    colours = [state_color(k) for k in range(5)]
    assert len(set(colours)) == 5
