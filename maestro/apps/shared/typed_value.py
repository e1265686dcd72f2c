"""A box with the exact value of a slider; it also takes values beyond the slider's ends that the rule allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from maestro.apps.shared.checked_box import after_event, as_shown, without_separators
from maestro.errors import MaestroError, ParameterError
from maestro.strategies.parameters import Parameter

NAMED_ONLY = {
    "& .MuiInputLabel-root": {"position": "absolute", "width": "1px", "height": "1px", "overflow": "hidden",
                              "clipPath": "inset(50%)"},
    "& legend": {"display": "none"}, "& fieldset": {"top": 0},
}  # fmt: skip
"""Style of a box whose label is read aloud and not drawn: the slider beside it shows the name."""


class TypedValue(pn.viewable.Viewer):
    """A slider and a box that show one number.

    Parameters
    ----------
    name : str
        The parameter.
    parameter : Parameter
        Says which numbers are allowed.
    slider : widget
    say : callable
        Takes why a number was refused, in words; nothing once one was taken.
    """

    def __init__(self, name: str, parameter: Parameter, slider: Any, say: Callable[[str], None]) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.name_of_parameter, self.parameter, self.slider, self._say = name, parameter, slider, say
        self.box = pmui.TextInput(
            label=f"{slider.label}: exact value", value=as_shown(slider.value), size="small", width=84,
            margin=(14, 10, 2, 0), sx=NAMED_ONLY,
        )  # fmt: skip
        slider.param.watch(lambda event: self.box.param.update(value=as_shown(event.new)), "value")
        self.box.param.watch(lambda event: self._type(event.new), "value")

    def _type(self, text: str) -> None:
        held = as_shown(self.slider.value)
        if text == held:
            return
        try:
            value = self.parameter.check(self.name_of_parameter, read_number(self.parameter, text))
        except MaestroError as error:
            self._say(f"{self.slider.label}: {error} {held} is kept.")
            after_event(self._show)
        else:
            self._say("")
            show_value(self.slider, value)
            after_event(self._show)  # "1,000" is shown as it is understood

    def _show(self) -> None:
        self.box.value = as_shown(self.slider.value)

    def __panel__(self) -> Any:
        return pn.Row(self.slider, self.box, sizing_mode="stretch_width")


def read_number(parameter: Parameter, text: str) -> float:
    """Return the number that a text stands for.

    Raises
    ------
    ParameterError
        It is not a number, or not a whole one where a whole one is needed.
    """
    try:
        plain = without_separators(text)
        return int(plain) if parameter.kind == "int" else float(plain)
    except ValueError:
        kind = "a whole number" if parameter.kind == "int" else "a number"
        raise ParameterError(f"{text!r} is not {kind}; allowed: {parameter.describe()}.") from None


def show_value(widget: Any, value: Any) -> None:
    """Set a widget's value; a slider that does not reach it becomes longer."""
    if "options" in widget.param:  # a list, or a slider on a log scale
        if value not in widget.options:
            widget.options = sorted({*widget.options, value})
        widget.value = value
    elif "start" in widget.param:
        widget.param.update(start=min(widget.start, value), end=max(widget.end, value), value=value)
    else:
        widget.value = value
