"""The heat map of the Backtest app: two parameters, a colour for the metric, a click that goes to a cell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import panel as pn

from maestro._core import formatting as formats
from maestro.apps.backtest import plane
from maestro.apps.backtest.heat_figure import drawn, mark
from maestro.apps.backtest.state import BacktestState
from maestro.apps.shared.latest import Latest
from maestro.apps.shared.page import HtmlPane, Message, card
from maestro.apps.shared.stale import DIMMED
from maestro.apps.shared.theming import themed
from maestro.bars import Bars
from maestro.engine import Backtest
from maestro.errors import MaestroError, message_of

_STYLE = "p { margin: 4px 0; font-size: 13px; }"
_SHAPES = {
    "plateau": "Plateau", "slope": "Slope", "needle": "Needle", "undefined": "No verdict",
}  # fmt: skip


class HeatMap(pn.viewable.Viewer):
    """A card that follows the controls; only what changes other cells computes them again, on a thread.

    Parameters
    ----------
    state : BacktestState
        Its `heat_map` holds the axes and the metric; an empty list means that the map is not shown.
    deliver : callable, optional
        As of `Latest`.
    """

    def __init__(self, state: BacktestState, deliver: Callable[[Callable[[], None]], Any] | None = None) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self.latest, self.dark = state, Latest(deliver), False
        wide = {"sizing_mode": "stretch_width"}
        self.switch = pmui.Switch(label="Show the heat map", value=bool(state.heat_map), margin=(2, 10))
        self.x, self.y = (pmui.Select(label=label, options=[], width=150) for label in ("Across", "Up"))
        self.metric = pmui.Select(
            label="Colour", options={formats.label(name): name for name in plane.MEASURED}, value="sharpe_ratio",
            width=190,
        )  # fmt: skip
        self.message, self.words = Message(), HtmlPane("", stylesheets=[_STYLE], **wide)
        self.working = pmui.LinearProgress(visible=False, variant="indeterminate", **wide)
        self.pane = pn.pane.Bokeh(None, min_height=60, **wide)
        self.boxes = pn.FlexBox(self.x, self.y, self.metric, gap="4px", visible=False, **wide)
        self.plane: plane.Plane | None = None
        self._key: Any = None
        self._drawn: Any = None
        self._here: dict[str, Any] = {}
        self._bt: Backtest | None = None
        self._writing = False
        self.switch.param.watch(lambda *_: self._write(), "value")
        for box in (self.x, self.y, self.metric):
            box.param.watch(lambda *_: self._write(), "value")

    # -- controls ---------------------------------------------------------------------------

    def _write(self) -> None:
        """Take the controls into the state, which has the page computed again."""
        if self._writing:
            return
        chosen = [self.x.value or "", self.y.value or "", self.metric.value] if self.switch.value else []
        if chosen and chosen[0] == chosen[1] and self.state.heat_map:  # the other axis takes the value before
            before = self.state.heat_map[:2]
            chosen[0 if chosen[0] == before[0] else 1] = before[0 if chosen[1] != before[0] else 1]
        self.state.heat_map = chosen

    def _offer(self, axes: list[str]) -> None:
        """Offer these axes; names of a link or of the strategy before that are none of them are replaced."""
        x, y, metric = [*self.state.heat_map, "", "", ""][:3]
        x = x if x in axes else next(name for name in axes if name != y)
        y = y if y in axes and y != x else next(name for name in axes if name != x)
        metric = metric if metric in plane.MEASURED else "sharpe_ratio"
        self._writing = True
        try:
            self.x.param.update(options=axes, value=x)
            self.y.param.update(options=axes, value=y)
            self.metric.value = metric
            self.state.heat_map = [x, y, metric]
        finally:
            self._writing = False

    # -- following --------------------------------------------------------------------------

    def follow(self, bars: Bars, bt: Backtest) -> None:
        """Show the cells around a backtest that was just computed with the state's settings."""
        shown = bool(self.state.heat_map)
        self._writing = True
        self.switch.value = shown
        self._writing = False
        self.boxes.visible = shown
        if not shown:
            self.clear()
            return
        self._bt = bt
        try:
            asked = self._asked(bars, bt)
        except MaestroError as error:
            self.clear(str(error))
            return
        if self._key == asked.key:
            self._draw()
            return
        self._key = asked.key
        self._work(True)

        def steps(cancel: threading.Event) -> Iterator[plane.Plane]:
            yield plane.compute(asked, cancel)

        self.latest.ask(steps, self._found, self._ended)

    def _asked(self, bars: Bars, bt: Backtest) -> plane.HeatMapRequest:
        state, cls = self.state, self.state.chosen()
        axes = list(plane.axes_of(cls, state.params))
        if len(axes) < 2:
            raise MaestroError(
                f"{cls.__name__} has one parameter that can vary ({axes[0]}); a heat map needs two. maestro sweep "
                "lists the values of one."
            )
        self._offer(axes)
        x, y = state.heat_map[:2]
        self._here = plane.current(cls, state.params)
        others = {name: value for name, value in state.params.items() if name not in (x, y)}
        return plane.HeatMapRequest(bars, cls, others, x, y, bt.costs, state.sizing, state.cash, state.fill)

    def _found(self, found: plane.Plane) -> None:
        self.plane = found
        self.message.say()
        self._work(False)
        self._draw()

    def _ended(self, error: Exception | None) -> None:
        self._work(False)
        if error is not None:
            self.clear(message_of(error))

    def clear(self, problem: str = "") -> None:
        """Show no cells, and why."""
        self.latest.stop()
        self.plane, self._key, self.pane.object, self.words.object = None, None, None, ""
        self._work(False)
        self.message.say(problem)

    def _work(self, working: bool) -> None:
        """Dim the cells of other settings while new ones are computed."""
        self.working.visible = working
        self.pane.styles = {"opacity": DIMMED if working else "1"}

    def stop(self) -> None:
        """Compute nothing for a page that is closed."""
        self.latest.stop()

    # -- drawing ----------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw the cells; for other values of the two parameters only move the mark."""
        if self.plane is None or self.working.visible:
            return
        metric = self.state.heat_map[2]
        figure = self.pane.object
        wanted = (self._key, metric, self.dark)
        if figure is None or self._drawn != wanted:
            self.pane.object = themed(drawn(self.plane, metric, self._here, self._go), self.dark)
            self._drawn = wanted
        else:
            mark(figure, self.plane, self._here)
        self.words.object = self._words(metric)

    def _go(self, i: int, j: int) -> None:
        """Set the controls to the values of a cell."""
        if self.plane is not None:
            x, y = self.plane.x, self.plane.y
            self.state.params = {**self.state.params, x.name: x.values[i], y.name: y.values[j]}

    def _words(self, metric: str) -> str:
        assert self.plane is not None
        assert self._bt is not None
        cells = self.plane.cells
        sentences = [f"{len(cells):,} sets, which the ledger counts as looks at this series."]
        counts = self.plane.outcomes(metric).value_counts().rows()
        words = {"ruined": "lose the whole account", "failed": "fail", "undefined": "have no number"}
        sentences += [f"{n:,} {words[name]}." for name, n in sorted(counts) if name in words]
        left_out = len(self.plane.x.values) * len(self.plane.y.values) - len(cells)
        if left_out:
            sentences.append(f"{left_out:,} are left out: the strategy's constraints or its warm-up exclude them.")
        near = plane.neighbours(self.plane, self._here, metric, self._bt.metrics[metric])
        return f"<p><b>{escape(_verdict(near))}</b></p><p>{escape(' '.join(sentences))}</p>"

    def theme(self, dark: bool) -> None:
        """Draw in the page's theme."""
        self.dark = dark
        self._draw()

    def __panel__(self) -> Any:
        thin = pn.Column(self.working, height=4, sizing_mode="stretch_width")
        return card(
            "Heat map: a click goes to a cell", self.switch, self.boxes, thin, self.message, self.pane, self.words
        )


def _verdict(near: plane.Neighbours | None) -> str:
    """What the neighbours say, in words."""
    if near is None:
        return ""
    name = formats.label(near.metric)
    if near.shape == "undefined":
        return f"No verdict on the neighbours: the {name} here is not above 0."
    lost = f" {near.lost:,} of them are ruined, fail or have no number, and count as 0." if near.lost else ""
    return (
        f"{_SHAPES[near.shape]}: half of the {near.count:,} neighbours within {plane.NEAR} cells keep "
        f"{formats.percent(near.kept, 0)} of the {name} here, or more.{lost}"
    )
