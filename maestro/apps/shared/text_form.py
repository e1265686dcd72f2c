"""A form for a setting that is kept as text: presets, a kind with its fields, and the text itself on request."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import panel as pn

from maestro.apps.shared.checked_box import after_event
from maestro.apps.shared.page import Message
from maestro.errors import MaestroError, SettingsError

HALF = 140
"""Width [px] of a box that has another one beside it."""


class TextForm(pn.viewable.Viewer):
    """Writes one setting of a state from fields or as text, and follows it; a subclass knows kinds and fields.

    A value that is refused is named in a message, and its control shows the value in force again.

    Parameters
    ----------
    state : Parameterized
    name : str
        The setting, a text.
    fits : callable, optional
        Raises `MaestroError` for a valid text that the rest of the page cannot use. It is not asked while it refuses
        the value in force too, so that one can get from a bad value to a good one.
    """

    title: ClassVar[str]
    presets: ClassVar[Mapping[str, str]]
    """Texts by what the list shows."""
    kinds: ClassVar[Mapping[str, str]]
    """Kinds by what the list shows."""

    def __init__(self, state: Any, name: str, fits: Callable[[str], None] | None = None) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self.name_of_setting, self._fits = state, name, fits or (lambda text: None)
        self._writing, self._made = False, ""
        wide = {"sizing_mode": "stretch_width"}
        self.preset = pmui.Select(label=self.title, options={**self.presets, self.held: self.held}, **wide)
        self.kind = pmui.Select(
            label=f"Kind of {self.title.lower()}",
            options=dict(self.kinds),
            value=next(iter(self.kinds.values())),
            **wide,
        )
        self.fields: dict[str, Any] = {}
        self.problem = Message(margin=(4, 10), until=state)
        self.edit = pmui.Switch(label=f"Edit {self.title.lower()}", value=False, size="small", width=128)
        self.as_text = pmui.Switch(label=f"{self.title} as text", value=False, size="small", width=152)
        self.text = pmui.TextInput(label=f"Text of {self.title.lower()}", value=self.held, visible=False, **wide)
        self._place = pn.Column(**wide)
        self._details = pn.Column(visible=False, **wide)
        self.preset.param.watch(self._choose_preset, "value")
        self.kind.param.watch(self._choose_kind, "value")
        self.text.param.watch(lambda event: self._take(event.new.strip(), self.text), "value")
        self.edit.param.watch(self._open, "value")
        self.as_text.param.watch(lambda event: self.text.param.update(visible=event.new), "value")
        state.param.watch(lambda *_: self.follow(), name)
        self.follow()

    # -- what a subclass knows --------------------------------------------------------------

    def parse(self, text: str) -> Any:
        """Return the value of a text, which equals that of another text with the same meaning.

        Raises
        ------
        MaestroError
            The text is not valid.
        """
        raise NotImplementedError

    def kind_of(self, value: Any) -> str:
        """Return its kind."""
        raise NotImplementedError

    def layout_of(self, value: Any) -> str:
        """Return what determines its fields: values of one layout share them."""
        return self.kind_of(value)

    def of_kind(self, kind: str, before: Any) -> list[str]:
        """Texts to begin with when another kind is chosen, the preferred one first; the first that fits is taken.

        `before` is the value in force, None if it is not valid.
        """
        raise NotImplementedError

    def make(self, value: Any) -> tuple[dict[str, Any], list[Any]]:
        """Create the fields of a layout, or reuse some of `fields`: widgets by name, and how they are laid out."""
        raise NotImplementedError

    def shown(self, value: Any) -> dict[str, Any]:
        """Return what each field shows."""
        raise NotImplementedError

    def changed(self, value: Any, name: str, given: Any) -> str:
        """Text of `value` with one field changed.

        Raises
        ------
        MaestroError
            The field does not take what was given.
        """
        raise NotImplementedError

    # -- in both directions -----------------------------------------------------------------

    @property
    def held(self) -> str:
        """The text in force."""
        return str(getattr(self.state, self.name_of_setting))

    def _value(self) -> Any:
        """The value in force; None if it is not valid, which the page says."""
        try:
            return self.parse(self.held)
        except MaestroError:
            return None

    def follow(self) -> None:
        """Show the setting in force in every control."""
        value = self._value()
        self._writing = True
        try:
            self.text.value = self.held
            same = [text for text in self.presets.values() if value is not None and self.parse(text) == value]
            shown = same[0] if same else self.held
            options = dict(self.presets) if same else {**self.presets, self.held: self.held}
            self.preset.param.update(options=options, value=shown)
            self.kind.visible = self._place.visible = value is not None
            if value is None:
                self.as_text.value = True
                return
            self.kind.value = self.kind_of(value)
            layout = self.layout_of(value)
            if self._made != layout:
                self._made, before = layout, list(self.fields.values())
                self.fields, self._place.objects = self.make(value)
                for name, widget in self.fields.items():
                    if widget not in before:
                        widget.param.watch(lambda event, name=name: self._write(name, event.new), "value")
            for name, shown in self.shown(value).items():
                self.fields[name].value = shown
        finally:
            self._writing = False

    def _open(self, event: Any) -> None:
        """Show the fields, or none; a page that never shows them does not load them."""
        self._details.param.update(objects=[self.kind, self._place] if event.new else [], visible=event.new)

    def _choose_preset(self, event: Any) -> None:
        self._take(event.new, self.preset)

    def _choose_kind(self, event: Any) -> None:
        if not self._writing:
            texts = self.of_kind(event.new, self._value())
            self._take(next(filter(self._usable, texts), texts[0]), self.kind)

    def _write(self, name: str, given: Any) -> None:
        if self._writing:
            return
        value, widget = self._value(), self.fields[name]
        try:
            text = self.changed(value, name, given)
        except MaestroError as error:
            self._refuse(widget, error, self.shown(value)[name])
        else:
            self._take(text, widget, self.shown(value)[name])

    def _take(self, text: str, widget: Any, before: Any = None) -> None:
        """Set the text if it is valid; otherwise say why and show what is in force."""
        if self._writing:
            return
        try:
            self.parse(text)
            if self._usable(self.held):
                self._fits(text)
        except MaestroError as error:
            self._refuse(widget, error, self.held if before is None else before)
            return
        self.problem.say()
        if text == self.held:
            after_event(self.follow)  # a field may have been written in another form
        else:
            setattr(self.state, self.name_of_setting, text)

    def _usable(self, text: str) -> bool:
        try:
            self.parse(text)
            self._fits(text)
        except MaestroError:
            return False
        return True

    def _refuse(self, widget: Any, error: MaestroError, held: Any) -> None:
        kept = held if isinstance(held, str) else self.held
        self.problem.say(f"{widget.label}: {error} {kept or 'An empty box'} is kept.")
        after_event(self.follow)

    def __panel__(self) -> Any:
        return pn.Column(
            self.preset, *self.below(), pn.Row(self.edit, self.as_text), self._details, self.text, self.problem,
            sizing_mode="stretch_width",
        )  # fmt: skip

    def below(self) -> list[Any]:
        """What is always shown below the list of presets."""
        return []


def number_in(text: str, above: float = -math.inf) -> float:
    """Return the finite number that a box holds; thousands may be separated by commas.

    Raises
    ------
    SettingsError
        It is not a finite number greater than `above`.
    """
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        number = math.nan
    if not above < number < math.inf:
        limit = f" above {above:g}" if above > -math.inf else ""
        raise SettingsError(f"{text!r} is not a number{limit}.")
    return number
