"""The figure of a heat map: cells without a number are shown by why."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from bokeh.models import ColumnDataSource

import maestro as ms
from maestro.apps.backtest import App, plane


class Mixed(ms.Strategy):
    """Sells short for `hold` bars; every other kind of result comes with `kind`."""

    hold = ms.Int(4, 2, 6)
    kind = ms.Int(0, 0, 3)
    fixed = ms.Float(0.5, 0.0, 1.0, search=False)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        none = np.zeros(len(bars), dtype=bool)
        begin, end = none.copy(), none.copy()
        if self.kind == 1:
            raise ms.errors.StrategyError("kind 1 is refused")
        if self.kind != 2:
            begin[2], end[2 + (20 if self.kind == 3 else self.hold)] = True, True
        return ms.Signals(none, none, begin, end)


@pytest.fixture(scope="module")
def rising() -> ms.Bars:
    """Bars on which a short position of 20 bars loses more than the account."""
    close = 100.0 * 1.08 ** np.arange(60.0)
    frame = pl.DataFrame(
        {
            "timestamp": pl.datetime_range(
                pl.datetime(2020, 1, 1), pl.datetime(2020, 2, 29), "1d", eager=True, time_zone="UTC"
            ),
            "open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": 1.0,
        }
    )  # fmt: skip
    return ms.Bars.from_frame(frame, symbol="UP", periods_per_year=365)


def test_ruin_and_failures_are_shown_as_such(rising: ms.Bars) -> None:
    app = App(rising, own=Mixed, fee=0.0, slippage=0.0, sizing="percent:1.0", heat_map=["hold", "kind", "sharpe_ratio"])
    found = app.heat_map.plane
    assert found is not None
    assert set(plane.axes_of(Mixed, {})) == {"hold", "kind"}
    outcomes = found.cells.with_columns(found.outcomes("sharpe_ratio")).select("j", "outcome").unique()
    assert dict(outcomes.rows()) == {0: "measured", 1: "failed", 2: "undefined", 3: "ruined"}
    sources = [one for one in app.heat_map.pane.object.select({"type": ColumnDataSource}) if "value" in one.data]
    output = {why for one in sources for why in one.data["error"]}
    assert output == {"", "kind 1 is refused", "the account is lost", "no number"}
    names = {item.label.value for item in app.heat_map.pane.object.legend[0].items}
    assert names == {"Current values", "Account lost", "Failed", "No number"}
    assert "5 fail." in app.heat_map.words.object
    assert "5 lose the whole account." in app.heat_map.words.object
