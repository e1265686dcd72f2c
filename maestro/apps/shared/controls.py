"""Controls made from a strategy's declaration, and those for costs, size and fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import panel as pn
import param

from maestro.apps.shared.checked_box import CheckedBox
from maestro.apps.shared.delivery import repeat, served_document
from maestro.apps.shared.look_ahead import LookAheadLine
from maestro.apps.shared.page import Message
from maestro.apps.shared.size_form import SizeForm
from maestro.apps.shared.state import TradeState
from maestro.apps.shared.strategy_files import FILES, raised
from maestro.apps.shared.typed_value import TypedValue, show_value
from maestro.bars import Bars
from maestro.config import VENUES
from maestro.engine import Costs
from maestro.errors import MaestroError
from maestro.strategies import strategies
from maestro.strategies.files import in_file
from maestro.strategies.parameters import Choice, Parameter

_STEPS = 100
_EVERY = 1_000
"""Milliseconds between two looks at the files of strategies."""
_OWN = "as below"
_RULES = {
    "fee": "give a fraction from -0.01 (a maker's rebate) to below 0.5; 0.1 % is 0.001",
    "slippage": "give a fraction from 0 to below 0.5; 0.1 % is 0.001",
    "cash": "give an amount above 0, up to 1e100",
}
"""The values that a box of costs or cash accepts."""


def control(name: str, parameter: Parameter, value: Any) -> Any:
    """Widget of one parameter: a slider over its search range, a switch, or a list."""
    import panel_material_ui as pmui

    shared: dict[str, Any] = {"label": name.replace("_", " ")}
    if parameter.doc:  # some widgets refuse None
        shared["description"] = parameter.doc
    wide = {"sizing_mode": "stretch_width", "margin": (2, 10)}
    if parameter.kind == "bool":
        return pmui.Switch(value=bool(value), **shared, **wide)
    if isinstance(parameter, Choice):
        return pmui.Select(options=list(parameter.cells), value=parameter.cell(value), **shared, **wide)
    low, high = getattr(parameter, "low", 0), getattr(parameter, "high", 1)
    if getattr(parameter, "log", False) and parameter.kind == "float":
        sign = -1.0 if high < 0 else 1.0
        ends = sorted((abs(float(low)), abs(float(high))))
        options = sorted({*(sign * float(f"{x:.3g}") for x in np.geomspace(ends[0], ends[1], _STEPS)), value})
        return pmui.DiscreteSlider(options=options, value=value, **shared, **wide)
    low, high = min(low, value), max(high, value)
    if parameter.kind == "int":
        return pmui.IntSlider(start=low, end=high, step=getattr(parameter, "step", 1), value=value, **shared, **wide)
    step = getattr(parameter, "step", None) or float(f"{(high - low) / _STEPS:.1g}")
    digits = max(0, -int(np.floor(np.log10(step))))
    return pmui.FloatSlider(start=low, end=high, step=step, value=value, format=f"0.{'0' * digits}", **shared, **wide)


def offered(known: Iterable[str] | Mapping[str, str], value: str) -> dict[str, str]:
    """Options of a list, with `value` marked as unknown if it is not one of them.

    A list replaces a value that it does not contain by its first option, so the page would show the result of another
    setting than the link asks for.
    """
    options = dict(known) if isinstance(known, Mapping) else {name: name for name in known}
    return options if value in options.values() else {**options, f"{value} (unknown)": value}


def _usable(name: str, parameter: Parameter, value: Any) -> Any:
    """Value for a control: the default in place of one that the backtest refuses, which the page shows."""
    try:
        return parameter.check(name, value)
    except MaestroError:
        return parameter.default


class StrategyControls(pn.viewable.Viewer):
    """The strategy and its parameters, in both directions: from the controls to the state and back."""

    def __init__(self, state: TradeState, *, fixed: bool = True) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self._fixed, self._writing = state, fixed, False
        self._made: list[Any] = []
        self._rule = ""
        self._files: Any = None
        self._class: Any = None
        self._problems, self._look_ahead = Message(margin=(4, 10)), LookAheadLine()
        self.name_box = pmui.Select(label="Strategy", sizing_mode="stretch_width", **self._offered())
        self.widgets: dict[str, Any] = {}
        self.typed: dict[str, TypedValue] = {}
        self.refused = Message(margin=(4, 10), until=state)
        self._place = pn.Column(sizing_mode="stretch_width")
        self.name_box.param.watch(lambda event: state.param.update(strategy=event.new, params={}), "value")
        state.param.watch(self._follow, ["strategy", "params"])
        self._follow()
        if FILES and served_document() is not None:
            repeat(self.look, _EVERY)

    def look(self) -> None:
        """Take the strategies of files that were saved, added or removed."""
        if FILES.state() != self._files:
            if in_file(self.state.strategy):
                declared = self._declared()
                kept = {name: value for name, value in self.state.params.items() if name in declared}
                with param.parameterized.batch_call_watchers(self.state):
                    self.state.params = kept  # a parameter that the file no longer declares has no control either
                    self.state.param.trigger("strategy")
            else:
                self._follow()

    def _declared(self) -> Mapping[str, Parameter]:
        """Parameters of the strategy; those of its controls while its file cannot be imported."""
        try:
            return self.state.chosen().parameters({})
        except MaestroError:
            return self.state.params

    def check(self, bars: Bars | None) -> None:
        """Check a user-defined strategy for look-ahead on these bars, and show the result."""
        try:
            cls = self.state.chosen()
        except MaestroError:
            cls = None
        self._look_ahead.check(cls, self.state.params, bars)

    def raised(self, error: Exception) -> str:
        """What the strategy raised, in words."""
        return raised(error, self.state.strategy, self._class)

    def _offered(self) -> dict[str, Any]:
        """Options and value of the list of strategies."""
        own = [] if self.state.own is None else [self.state.own.__name__]
        known = {**_labels(FILES.names()), **{name: name for name in (*own, *strategies(plugins=True))}}
        return {"options": offered(known, self.state.strategy), "value": self.state.strategy}

    def _follow(self, *_: Any) -> None:
        """Create the widgets of another strategy, or set the values of the existing ones."""
        if self._writing:
            return
        self.name_box.param.update(**self._offered())
        self._files = FILES.state()
        self._problems.say(" ".join(FILES.problems()))
        before = self._class
        try:
            cls = self._class = self.state.chosen()
        except MaestroError:
            self._place.objects, self.widgets, self.typed = [], {}, {}
            self._class, self._made, self._rule = None, [], ""  # created again with the next strategy
            return
        if not self._fixed:
            return
        params = self.state.params
        declared = cls.parameters(params)
        values = {name: _usable(name, one, params.get(name, one.default)) for name, one in declared.items()}
        made = [(name, one.kind, getattr(one, "low", None)) for name, one in declared.items()]
        if made == self._made and self._rule == self.state.strategy and before is cls:
            self._writing = True
            for name, value in values.items():
                show_value(self.widgets[name], declared[name].cell(value))
            self._writing = False
            return
        self._made, self._rule = made, self.state.strategy
        self.widgets = {name: control(name, one, values[name]) for name, one in declared.items()}
        for name, widget in self.widgets.items():
            # Panel has no public option for this: it waits 50 ms for more changes, and the last one wins here anyway.
            widget._priority_changes = ["value"]
            widget.param.watch(lambda event, name=name: self._write(name, event.new), "value")
        self.typed = {
            name: TypedValue(name, one, self.widgets[name], self.refused.say) for name, one in declared.items()
            if one.kind in ("int", "float")
        }  # fmt: skip
        self._place.objects = [self.typed.get(name, widget) for name, widget in self.widgets.items()]

    def _write(self, name: str, value: Any) -> None:
        if self._writing:
            return
        if name == "proxy":  # its own defaults and bounds, so the rest starts again
            self.state.params = {"proxy": True} if value else {}
            return
        self._writing = True
        try:
            value = float(f"{value:.12g}") if isinstance(value, float) else value  # 0.3, not 0.30000000000000004
            self.state.params = {**self.state.params, name: value}
        finally:
            self._writing = False

    def __panel__(self) -> Any:
        return pn.Column(
            self.name_box, self._problems, self._look_ahead, self._place, self.refused, sizing_mode="stretch_width"
        )  # fmt: skip


def _labels(names: Iterable[str]) -> dict[str, str]:
    """Strategies of files by a label for the list: ``MyRule (my_rule.py)``."""
    found = {name: in_file(name) for name in names}
    return {f"{where[1]} ({where[0]})": name for name, where in found.items() if where is not None}


class TradeControls(pn.viewable.Viewer):
    """Costs, size, cash and fill, in both directions: from the controls to the state and back."""

    def __init__(self, state: TradeState) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.problem = Message(until=state)
        labels = {"fee": "Fee per side", "slippage": "Slippage", "cash": "Cash"}
        self.widgets = {
            name: CheckedBox(state, name, label, _RULES[name], self.problem, width=140).widget
            for name, label in labels.items()
        }
        self.size = SizeForm(state, "sizing")
        self.venue = pmui.Select(label="Costs of", options=[_OWN, *VENUES], value=_OWN, sizing_mode="stretch_width")
        self.venue.param.watch(lambda event: self._price(event.new), "value")
        state.param.watch(lambda *_: self._unname(), ["fee", "slippage"])
        places = {"the next open": "next_open", "the same close (looks ahead)": "close"}
        self.fill = pmui.Select(label="Fills at", options=places, value=state.fill, sizing_mode="stretch_width")
        self.fill.param.watch(lambda event: state.param.update(fill=event.new), "value")
        state.param.watch(lambda event: self.fill.param.update(value=event.new), "fill")
        self.state = state

    def _price(self, venue: str) -> None:
        """Take a venue's published costs, or those that maestro.yaml has for it."""
        if venue != _OWN:
            costs = Costs.of(venue)
            self.state.param.update(fee=costs.fee, slippage=costs.slippage)

    def _unname(self) -> None:
        """Show no venue once the costs are no longer those of the chosen one."""
        if self.venue.value != _OWN and Costs.of(self.venue.value) != Costs(self.state.fee, self.state.slippage):
            self.venue.value = _OWN

    def __panel__(self) -> Any:
        fee, slippage, cash = self.widgets.values()
        return pn.Column(
            self.venue,
            pn.Row(fee, slippage),
            cash,
            self.problem,
            self.fill,
            self.size,
            sizing_mode="stretch_width",
        )
