"""A box whose value is checked: a refused one is named, and the box shows the valid value again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import param

from maestro.apps.shared.delivery import delivery
from maestro.apps.shared.page import Message

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
"""A number with a comma between its thousands."""


class CheckedBox:
    """A text box for one setting of a state; it writes to the state, and follows it.

    Numbers are text here: a numeric box of the browser changes values silently and ignores a second entry.

    Parameters
    ----------
    state : Parameterized
    name : str
        The setting; its type decides how the text is read.
    label : str
    rule : str
        What the box takes, in words: ``give a whole number of at least 1``.
    problem : Message
        Says why a value was refused.
    **options
        Of the text box.
    """

    def __init__(self, state: Any, name: str, label: str, rule: str, problem: Message, **options: Any) -> None:
        import panel_material_ui as pmui

        self.state, self.name, self.rule, self.problem = state, name, rule, problem
        self.widget = pmui.TextInput(label=label, value=as_shown(getattr(state, name)), **options)
        self.widget.param.watch(lambda event: self._write(event.new), "value")
        state.param.watch(lambda event: self.widget.param.update(value=as_shown(event.new)), name)

    def _write(self, text: str) -> None:
        held = as_shown(getattr(self.state, self.name))
        if text == held:
            return
        try:
            setattr(self.state, self.name, self._value(text))
        except ValueError:
            self.problem.say(
                f"{self.widget.label}: {text!r} is not allowed: {self.rule}. {held or 'An empty box'} is kept."
            )
            self._restore(held)
        else:
            self.problem.say()
            self._restore(as_shown(getattr(self.state, self.name)))  # "1,000" is shown as it is understood

    def _value(self, text: str) -> Any:
        declared = self.state.param[self.name]
        if declared.allow_None and not text.strip():
            return None
        if isinstance(declared, param.Integer):
            return int(without_separators(text))
        if not isinstance(declared, param.Number):
            return text
        value = float(without_separators(text))
        if not np.isfinite(value):
            raise ValueError(text)
        return value

    def _restore(self, held: str) -> None:
        def show() -> None:
            self.widget.value = held

        after_event(show)


def after_event(show: Callable[[], None]) -> None:
    """Call `show`; on a page after the event that changed a box, which otherwise hides the next value."""
    deliver = delivery()
    if deliver is None:
        show()
    else:
        deliver(show)


def as_shown(value: Any) -> str:
    """Value of a setting as its box shows it: 100000, 0.001; nothing for None."""
    if value is None:
        return ""
    return format(value, ".12g") if isinstance(value, float) else str(value)


def without_separators(text: str) -> str:
    """Remove the commas between thousands: 1,234.5 is 1234.5.

    Raises
    ------
    ValueError
        A comma stands elsewhere: 0,001 could mean 0.001, and is not read as 1.
    """
    if "," in text and not _THOUSANDS.fullmatch(text.strip()):
        raise ValueError(text)
    return text.replace(",", "").strip()
