"""The heat map of the Backtest app: its cells are backtests, a click sets the controls, failures are not numbers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

import numpy as np
import polars as pl
import pytest
from bokeh.models import ColumnDataSource

import maestro as ms
from maestro.apps.backtest import App, plane
from maestro.apps.backtest.heat_figure import MARK
from maestro.apps.shared.latest import Latest


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


def cell(app: App, i: int, j: int) -> dict[str, Any]:
    assert app.heat_map.plane is not None
    return app.heat_map.plane.cells.filter((pl.col("i") == i) & (pl.col("j") == j)).row(0, named=True)


def spot(app: App) -> tuple[list[float], list[float]]:
    data: Any = app.heat_map.pane.object.select_one({"name": MARK}).data
    return data["x"], data["y"]


def test_every_cell_is_the_backtest_that_a_click_shows() -> None:
    app = App(heat_map=["fast", "slow", "total_return"], fee=0.002)
    found = app.heat_map.plane
    assert found is not None
    assert (len(found.x.values), len(found.y.values)) == (plane.LEVELS, plane.LEVELS)
    assert (found.x.values[0], found.x.values[-1], found.y.values[0], found.y.values[-1]) == (5, 100, 20, 200)
    figure = app.heat_map.pane.object
    source = next(one for one in figure.select({"type": ColumnDataSource}) if "value" in one.data)
    row = 77
    source.selected.indices = [row]  # what a click in the browser sends
    i, j = int(source.data["i"][row]), int(source.data["j"][row])
    assert app.state.params == {"fast": found.x.values[i], "slow": found.y.values[j]}
    assert (app.rule.widgets["fast"].value, app.rule.widgets["slow"].value) == (found.x.values[i], found.y.values[j])
    assert app.view._shown is not None
    assert app.view._shown.bt.metrics["total_return"] == source.data["value"][row] == cell(app, i, j)["total_return"]
    assert app.heat_map.pane.object is figure  # only the mark has moved
    assert spot(app) == ([i], [j])
    app.rule.widgets["fast"].value = 12
    assert app.heat_map.plane is found
    assert spot(app)[0] == [pytest.approx(1.4)]  # between 10 and 15
    app.state.fee = 0.0
    assert app.heat_map.plane is not found
    assert app.state.heat_map == ["fast", "slow", "total_return"]


def test_ruin_and_failures_are_shown_as_such(rising: ms.Bars) -> None:
    app = App(rising, own=Mixed, fee=0.0, slippage=0.0, sizing="percent:1.0", heat_map=["hold", "kind", "sharpe_ratio"])
    found = app.heat_map.plane
    assert found is not None
    assert set(plane.axes_of(Mixed, {})) == {"hold", "kind"}
    outcomes = found.cells.with_columns(found.outcomes("sharpe_ratio")).select("j", "outcome").unique()
    assert dict(outcomes.rows()) == {0: "measured", 1: "failed", 2: "undefined", 3: "ruined"}
    sources = [one for one in app.heat_map.pane.object.select({"type": ColumnDataSource}) if "value" in one.data]
    said = {why for one in sources for why in one.data["error"]}
    assert said == {"", "kind 1 is refused", "the account is lost", "no number"}
    names = {item.label.value for item in app.heat_map.pane.object.legend[0].items}
    assert names == {"Current values", "Account lost", "Failed", "No number"}
    assert "5 fail." in app.heat_map.words.object
    assert "5 lose the whole account." in app.heat_map.words.object


def test_the_verdict_on_the_neighbours_counts_lost_ones_as_nothing() -> None:
    axis = plane.Axis("a", (0, 1, 2, 3, 4)), plane.Axis("b", (0, 1, 2, 3, 4))
    i, j = (grid.ravel() for grid in np.indices((5, 5)))
    value = np.where((i == 2) & (j == 2), 2.0, 1.6)
    cells = pl.DataFrame({"i": i, "j": j, "sharpe_ratio": value, "ruined": 0.0, "error": None})
    here = {"a": 2, "b": 2}
    near = plane.neighbours(plane.Plane(*axis, cells), here, "sharpe_ratio", 2.0)
    assert near is not None
    assert (near.count, near.kept, near.lost, near.shape) == (24, 0.8, 0, "plateau")
    ruined = cells.with_columns(ruined=(pl.col("i") < 3).cast(pl.Float64))
    near = plane.neighbours(plane.Plane(*axis, ruined), here, "sharpe_ratio", 2.0)
    assert near is not None
    assert (near.kept, near.lost, near.shape) == (0.0, 14, "needle")
    near = plane.neighbours(plane.Plane(*axis, cells), here, "sharpe_ratio", -0.1)
    assert near is not None
    assert math.isnan(near.kept)
    assert near.shape == "undefined"
    assert plane.neighbours(plane.Plane(*axis, cells), {"a": 9, "b": 2}, "sharpe_ratio", 2.0) is None


def test_names_of_a_link_that_do_not_fit_are_replaced_and_one_axis_is_not_enough(rising: ms.Bars) -> None:
    app = App(query={"heat_map": '["nothing", "fast", "colour"]'})
    assert app.state.heat_map == ["slow", "fast", "sharpe_ratio"]
    app.heat_map.x.value = "fast"  # the axes change places
    assert app.state.heat_map == ["fast", "slow", "sharpe_ratio"]
    app.heat_map.switch.value = False
    assert app.state.heat_map == []
    assert app.heat_map.pane.object is None

    class One(Mixed):
        kind = ms.Int(0, 0, 3, search=False)

    one = App(rising, own=One, heat_map=["hold", "kind", "sharpe_ratio"])
    assert one.heat_map.message.text.startswith("One has one parameter that can vary (hold); a heat map needs two.")
    assert one.view.message.text == ""


def test_the_page_goes_on_while_cells_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(heat_map=["fast", "slow", "sharpe_ratio"])
    begun, go_on, compute = threading.Event(), threading.Event(), plane.compute

    def slow(asked: plane.Asked, cancel: threading.Event | None = None) -> plane.Plane:
        begun.set()
        assert go_on.wait(600)
        return compute(asked, cancel)

    monkeypatch.setattr(plane, "compute", slow)
    calls: Queue[Callable[[], None]] = Queue()
    app.heat_map.latest = Latest(calls.put)
    before = app.heat_map.plane
    app.state.fee = 0.002
    assert begun.wait(600)
    assert app.heat_map.working.visible
    assert app.heat_map.plane is before
    assert app.view._shown is not None
    assert app.view._shown.bt.costs.fee == 0.002  # the backtest did not wait
    go_on.set()
    while app.heat_map.working.visible:
        calls.get(timeout=600)()
    assert app.heat_map.plane is not before
