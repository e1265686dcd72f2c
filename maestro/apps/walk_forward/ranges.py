"""The controls of what a walk-forward searches: a range per parameter, or a tick that fixes it to one value."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import panel as pn

from maestro.apps.shared.checked_box import after_event, as_shown
from maestro.apps.shared.controls import control
from maestro.apps.shared.page import HtmlPane, Message
from maestro.apps.shared.text_form import number_in
from maestro.apps.shared.typed_value import NAMED_ONLY, TypedValue, read_number, show_value
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.errors import MaestroError
from maestro.search.dimensions import Dimension, dimension
from maestro.search.space import Space
from maestro.strategies.parameters import Parameter

_ENDS = ("low", "high", "step")
_THIRD = 84
"""Width [px] of one of three boxes in a row."""


class RangeControls(pn.viewable.Viewer):
    """Writes the settings `space` and `params` of a walk-forward, and follows them.

    A range that is refused is named, and its boxes show the one in force again.
    """

    def __init__(self, state: WalkForwardState) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self._writing = state, False
        wide = {"sizing_mode": "stretch_width"}
        self.words = HtmlPane("", margin=(2, 10), styles={"font-size": "13px", "overflow-wrap": "anywhere"}, **wide)
        self.edit = pmui.Switch(label="Edit the search ranges", value=False, size="small", **wide)
        self.problem = Message(margin=(4, 10), until=state)
        self._place = pn.Column(visible=False, **wide)
        self.fix: dict[str, Any] = {}
        self.ends: dict[str, dict[str, Any]] = {}
        self.sliders: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self._made: Any = None
        self.edit.param.watch(self._open, "value")
        state.param.watch(lambda *_: self.follow(), ["strategy", "params", "space"])
        self.follow()

    def _open(self, event: Any) -> None:
        self._place.visible = event.new
        self.follow()

    # -- from the state to the controls -----------------------------------------------------

    def _space(self, params: Mapping[str, Any], space: Mapping[str, Any]) -> Space:
        return Space(self.state.chosen(), params, WalkForwardState(space=dict(space)).ranges())

    def follow(self) -> None:
        """Show what is searched, in words, and in controls while they are open."""
        try:
            space = self._space(self.state.params, self.state.space)
        except MaestroError:  # the page says what is wrong
            self.words.object, self._place.objects, self._made = "", [], None
            return
        fixed = ", ".join(f"{name}={value}" for name, value in space.fixed.items() if name in self.state.params)
        text = f"Searched: {space.describe()}." + (f" Fixed: {fixed}." if fixed else "")
        self.words.object = f"<div role='status'>{escape(text)}</div>"
        if not self.edit.value:
            return
        declared = space.strategy.parameters(self.state.params)
        searched = {one.name: one for one in space.dimensions}
        layout = (
            space.strategy,
            tuple((name, name in searched and searched[name].log) for name in declared),
            *searched,
        )
        self._writing = True
        try:
            if self._made != layout:
                self._made = layout
                self._make(declared, searched, space.fixed)
            self._fill(declared, searched, space.fixed)
        finally:
            self._writing = False

    def _make(self, declared: Mapping[str, Parameter], searched: Mapping[str, Dimension], fixed: Any) -> None:
        import panel_material_ui as pmui

        self.fix, self.ends, self.sliders, self.values = {}, {}, {}, {}
        rows: list[Any] = []
        for name, parameter in declared.items():
            label = name.replace("_", " ")
            tick = self.fix[name] = pmui.Checkbox(
                label=f"Fix {label}", value=name not in searched, size="small", sizing_mode="stretch_width",
                margin=(8, 10, 0, 10), disabled=not parameter.search and parameter.kind not in ("int", "float"),
            )  # fmt: skip
            tick.param.watch(lambda event, name=name: self._fix(name, event.new), "value")
            rows.append(tick)
            if name in searched:
                rows += self._range_row(name, label, parameter, searched[name])
            else:
                rows.append(self._value_row(name, parameter, fixed[name]))
        self._place.objects = rows

    def _range_row(self, name: str, label: str, parameter: Parameter, found: Dimension) -> list[Any]:
        """Slider and boxes of a range; a list of the options of a choice; words for a list of numbers."""
        import panel_material_ui as pmui

        if found.options and parameter.kind != "choice":
            shown = " or ".join(map(str, found.options))
            return [HtmlPane(f"<div>searched: {shown}</div>", margin=(0, 10), styles={"font-size": "13px"})]
        if found.options:
            box = pmui.MultiChoice(
                label=f"Options of {label}", options=list(parameter.cells),  # type: ignore[attr-defined]
                sizing_mode="stretch_width",
            )  # fmt: skip
            box.param.watch(lambda event, name=name: self._options(name, event.new), "value")
            self.ends[name] = {"options": box}
            return [box]
        boxes = self.ends[name] = {
            end: pmui.TextInput(label=f"{label}: {end}", width=_THIRD, size="small", sx=_captioned(end))
            for end in _ENDS
        }  # fmt: skip
        for end, box in boxes.items():
            box.param.watch(lambda event, name=name, end=end: self._type(name, end, event.new), "value")
        rows: list[Any] = [pn.Row(*boxes.values())]
        if not found.log:  # ends of very different size cannot be dragged on one linear slider
            kind, make = (int, pmui.IntRangeSlider) if parameter.kind == "int" else (float, pmui.RangeSlider)
            low, high = kind(found.low), kind(found.high)
            slider = self.sliders[name] = make(
                label=f"Range of {label}", start=low, end=high, value=(low, high),
                step=kind(found.step or float(f"{(high - low) / 100:.1g}")), margin=(2, 14),
                sizing_mode="stretch_width",
            )  # fmt: skip
            slider.param.watch(lambda event, name=name: self._drag(name, event.new), "value_throttled")
            rows.insert(0, slider)
        return rows

    def _value_row(self, name: str, parameter: Parameter, value: Any) -> Any:
        widget = self.values[name] = control(name, parameter, parameter.cell(value))
        widget.param.watch(lambda event, name=name: self._set(name, event.new), "value")
        return TypedValue(name, parameter, widget, self.problem.say) if parameter.kind in ("int", "float") else widget

    def _fill(self, declared: Mapping[str, Parameter], searched: Mapping[str, Dimension], fixed: Any) -> None:
        for name, tick in self.fix.items():
            tick.value = name not in searched
        for name, boxes in self.ends.items():
            found = searched[name]
            if "options" in boxes:
                boxes["options"].value = [declared[name].cell(option) for option in found.options]
                continue
            for end, box in boxes.items():
                box.value = _shown(getattr(found, end))
            if name in self.sliders:
                slider, kind = self.sliders[name], int if declared[name].kind == "int" else float
                own = declared[name]
                low, high = kind(found.low), kind(found.high)
                slider.param.update(
                    start=min(slider.start, low, own.low), end=max(slider.end, high, own.high),  # type: ignore[attr-defined]
                    value=(low, high),
                )  # fmt: skip
        for name, widget in self.values.items():
            show_value(widget, declared[name].cell(fixed[name]))

    # -- from the controls to the state -----------------------------------------------------

    def _fix(self, name: str, fixed: bool) -> None:
        if self._writing:
            return
        parameter = self.state.chosen().parameters(self.state.params)[name]
        params = {one: value for one, value in self.state.params.items() if one != name}
        space = {one: value for one, value in self.state.space.items() if one != name}
        if fixed:
            params[name] = parameter.written(parameter.default)
        elif not parameter.search:
            space[name] = [parameter.low, parameter.high]  # type: ignore[attr-defined]
        self._take(f"Fix {name.replace('_', ' ')}", params, space)

    def _set(self, name: str, value: Any) -> None:
        if not self._writing:
            value = float(f"{value:.12g}") if isinstance(value, float) else value
            space = {one: given for one, given in self.state.space.items() if one != name}  # a range of one value
            self._take(name.replace("_", " "), {**self.state.params, name: value}, space)

    def _options(self, name: str, chosen: list[Any]) -> None:
        if not self._writing:
            self._search(name, f"Options of {name.replace('_', ' ')}", list(chosen))

    def _drag(self, name: str, ends: tuple[float, float]) -> None:
        if not self._writing:
            low, high = (float(f"{end:.12g}") for end in ends)  # 0.3, not 0.30000000000000004
            self._search(name, f"Range of {name.replace('_', ' ')}", {"low": low, "high": high})

    def _type(self, name: str, end: str, text: str) -> None:
        if self._writing:
            return
        parameter, label = self.state.chosen().parameters(self.state.params)[name], self.ends[name][end].label
        if end == "step" and not text.strip():
            self._search(name, label, {"step": None})
            return
        try:
            number = _step(text) if end == "step" else read_number(parameter, text)
        except MaestroError as error:
            self._refuse(label, error)
        else:
            self._search(name, label, {end: number})

    def _search(self, name: str, label: str, change: Any) -> None:
        """Search other options, or a range with some of its ends changed; the declared range needs no setting."""
        parameter = self.state.chosen().parameters(self.state.params)[name]
        before = next(one for one in self._space(self.state.params, self.state.space).dimensions if one.name == name)
        space = {one: value for one, value in self.state.space.items() if one != name}
        try:
            entries = [change] if isinstance(change, list) else _entries(parameter, before, change)
            wanted = dimension(name, parameter, tuple(entries[-1]))
            fitting = [entry for entry in entries if dimension(name, parameter, tuple(entry)) == wanted]
            if not parameter.search or wanted != dimension(name, parameter):
                space[name] = fitting[0]
        except MaestroError as error:
            self._refuse(label, error)
        else:
            self._take(label, self.state.params, space)

    def _take(self, label: str, params: Mapping[str, Any], space: Mapping[str, Any]) -> None:
        try:
            self._space(params, space)
        except MaestroError as error:
            self._refuse(label, error)
            return
        self.problem.say()
        changed = {
            name: dict(value) for name, value in (("params", params), ("space", space))
            if value != getattr(self.state, name)
        }  # fmt: skip
        if changed:
            self.state.param.update(**changed)
        else:
            after_event(self.follow)

    def _refuse(self, label: str, error: MaestroError) -> None:
        own = f"{label.partition(':')[0].replace(' ', '_')}: "
        self.problem.say(f"{label}: {str(error).removeprefix(own)} The search is as before.")
        after_event(self.follow)

    def __panel__(self) -> Any:
        return pn.Column(self.words, self.edit, self._place, self.problem, sizing_mode="stretch_width")


def _step(text: str) -> float:
    """Return the number of a step; whether it fits the range is checked with it."""
    number = number_in(text, above=0)
    return int(number) if number == int(number) else number


def _captioned(end: str) -> dict[str, Any]:
    """Style of a box under a short caption: its label with the parameter's name would be cut."""
    caption = {"content": f"'{end}'", "fontSize": "12px", "color": "text.secondary"}
    return {**NAMED_ONLY, "&::before": caption}


def _entries(parameter: Parameter, before: Dimension, change: Mapping[str, Any]) -> list[Any]:
    """Ways to write a changed range, the shortest first; the last one says everything."""
    kind = int if parameter.kind == "int" else float
    now = {"low": before.low, "high": before.high, "step": before.step, **change}
    low, high, step = kind(now["low"]), kind(now["high"]), now["step"]
    if step is None:
        return [[low, high]]
    step = int(step) if kind is int and step == int(step) else step
    return [[low, high], [low, high, step]]


def _shown(number: float | None) -> str:
    return "" if number is None else as_shown(number)
