"""Does a form follow its setting, write it, and restore what is in force after a refused value?"""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
import pytest

from maestro.apps.shared.text_form import TextForm
from maestro.errors import SettingsError


class State(param.Parameterized):  # type: ignore[misc]
    size = param.String(default="small:1")


class SizeForm(TextForm):
    """Texts ``KIND:NUMBER`` with KIND small or large."""

    title = "Size"
    presets = {"one": "small:1", "ten": "large:10"}
    kinds = {"Small": "small", "Large": "large"}

    def parse(self, text: str) -> tuple[str, int]:
        kind, _, number = text.partition(":")
        if kind not in self.kinds.values() or not number.strip().isdecimal():
            raise SettingsError(f"{text!r} is not a size.")
        return kind, int(number)

    def kind_of(self, value: Any) -> str:
        return str(value[0])

    def of_kind(self, kind: str, before: Any) -> list[str]:
        return [f"{kind}:{before[1]}", f"{kind}:7"]

    def make(self, value: Any) -> tuple[dict[str, Any], list[Any]]:
        box = pmui.TextInput(label=f"Number of {value[0]}")
        return {"n": box}, [box]

    def shown(self, value: Any) -> dict[str, Any]:
        return {"n": str(value[1])}

    def changed(self, value: Any, name: str, given: Any) -> str:
        return f"{value[0]}:{given}"


def below_100(text: str) -> None:
    if int(text.partition(":")[2]) >= 100:
        raise SettingsError(f"{text} is too large.")


def test_the_controls_follow_the_setting_and_write_it() -> None:
    form = SizeForm(State(), "size")
    assert (form.preset.value, form.kind.value, form.fields["n"].value) == ("small:1", "small", "1")
    form.preset.value = "large:10"
    assert (form.state.size, form.kind.value, form.fields["n"].value) == ("large:10", "large", "10")
    form.fields["n"].value = "11"
    assert (form.state.size, form.preset.value, form.text.value) == ("large:11", "large:11", "large:11")
    form.state.size = "small:01"
    assert (form.preset.value, form.fields["n"].value) == ("small:1", "1"), "the meaning counts, not the letters"
    assert form.state.size == "small:01", "showing a setting does not rewrite it"


def test_a_refused_value_is_named_and_the_value_in_force_is_shown() -> None:
    form = SizeForm(State(), "size", below_100)
    form.fields["n"].value = "x"
    assert form.problem.text == "Number of small: 'small:x' is not a size. 1 is kept."
    assert (form.state.size, form.fields["n"].value) == ("small:1", "1")
    form.text.value = "large:100"
    assert form.problem.text == "Text of size: large:100 is too large. small:1 is kept."
    assert (form.state.size, form.text.value) == ("small:1", "small:1")
    form.fields["n"].value = "5"
    assert (form.state.size, form.problem.text) == ("small:5", "")


def test_another_kind_begins_with_the_first_text_that_fits() -> None:
    form = SizeForm(State(size="small:5"), "size", below_100)
    form.kind.value = "large"
    assert form.state.size == "large:5"
    form.state.size = "large:500"  # of a link
    form.kind.value = "small"
    assert form.state.size == "small:7"


@pytest.mark.parametrize("text", ["huge:1", "", "small"])
def test_a_setting_that_is_not_valid_is_shown_as_text(text: str) -> None:
    form = SizeForm(State(size=text), "size")
    assert (form.text.visible, form.text.value, form.kind.visible, form.preset.value) == (True, text, False, text)
    form.text.value = "large:3"
    assert (form.kind.visible, form.fields["n"].value, form.problem.text) == (True, "3", "")
