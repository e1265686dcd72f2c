"""Indicators on request: every one of the list, and panes of one name put together."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.apps.chart import Line, Pane
from maestro.apps.market import App
from maestro.apps.shared.indicator_panes import INDICATORS, merged, panes_of
from maestro.errors import SettingsError


def test_every_indicator_has_lines_as_long_as_the_bars() -> None:
    bars = ms.synthetic_bars(300, seed=2)
    panes = panes_of(INDICATORS, bars)
    assert [pane.name for pane in panes] == list(dict.fromkeys(place for place, _ in INDICATORS.values()))
    for pane in panes:
        names = [line.name for line in pane.lines]
        assert len(set(names)) == len(names)
        for line in pane.lines:
            assert len(line.values) == len(bars)
            assert np.isfinite(line.values[-1])
    with pytest.raises(SettingsError, match=r"there is no indicator 'RSI'; there are: .* Did you mean"):
        panes_of(["RSI"], bars)


def test_panes_of_one_name_are_one_pane_and_a_line_is_drawn_once() -> None:
    volume, mean = Line("volume", [0], [1.0]), Line("mean", [0], [2.0])
    [pane] = merged([Pane("volume", [volume], 1.5), Pane("volume", [volume, mean])])
    assert ([line.name for line in pane.lines], pane.height) == (["volume", "mean"], 1.5)


def test_the_market_app_adds_panes_and_keeps_its_candles() -> None:
    app = App(ms.synthetic_bars(300, seed=2))
    candles = app.view.chart.candles
    app.state.indicators = ["RSI 14", "Volume"]
    assert app.view.chart.candles is candles
    assert {pane["name"] for pane in app.view.chart.panes} >= {"volume", "RSI 14"}
    assert sum(pane["name"] == "volume" for pane in app.view.chart.panes) == 1
    app.state.indicators = ["RSI"]
    assert app.view.message.text.startswith("there is no indicator 'RSI'")
    assert "indicators" not in app.state.frozen()
