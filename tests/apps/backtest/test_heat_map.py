"""The heat map of the Backtest app: its cells are backtests, a click sets the controls, failures are not numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

import polars as pl
import pytest
from bokeh.models import ColumnDataSource

import maestro as ms
from maestro.apps.backtest import App, plane
from maestro.apps.backtest.heat_figure import MARK
from maestro.apps.shared.latest import Latest


class One(ms.Strategy):
    """One parameter that can vary."""

    hold = ms.Int(4, 2, 6)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(bars.close > bars.open, bars.close < bars.open)


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


def test_names_of_a_link_that_do_not_fit_are_replaced_and_one_axis_is_not_enough() -> None:
    app = App(query={"heat_map": '["nothing", "fast", "colour"]'})
    assert app.state.heat_map == ["slow", "fast", "sharpe_ratio"]
    assert "the heat map of the link: 'nothing' is not one of fast or slow, 'colour' is not" in app.view.message.text
    app.heat_map.x.value = "fast"  # the axes change places
    assert app.state.heat_map == ["fast", "slow", "sharpe_ratio"]
    app.heat_map.switch.value = False
    assert app.state.heat_map == []
    assert app.heat_map.pane.object is None

    one = App(ms.synthetic_bars(300, seed=1), own=One, heat_map=["hold", "kind", "sharpe_ratio"])
    assert one.heat_map.message.text.startswith("One has one parameter that can vary (hold); a heat map needs two.")
    assert one.view.message.text == ""


def test_the_page_goes_on_while_cells_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(heat_map=["fast", "slow", "sharpe_ratio"])
    begun, go_on, compute = threading.Event(), threading.Event(), plane.compute

    def slow(asked: plane.HeatMapRequest, cancel: threading.Event | None = None) -> plane.Plane:
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
