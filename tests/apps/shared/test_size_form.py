"""Do the form and the text of the size say the same, and is a refused value named while the old one stays?"""

from __future__ import annotations

import pytest

from maestro.apps.shared.controls import TradeControls
from maestro.apps.shared.size_form import SizeForm
from maestro.apps.shared.state import TradeState
from maestro.engine import Sizing


def form_of(text: str) -> SizeForm:
    return SizeForm(TradeState(sizing=text), "sizing")


def fields(form: SizeForm) -> dict[str, str]:
    return {name: widget.value for name, widget in form.fields.items()}


@pytest.mark.parametrize("text", SizeForm.presets.values())
def test_a_preset_gives_its_text_and_its_fields_give_it_again(text: str) -> None:
    form = form_of("units:3")
    form.preset.value = text
    assert (form.held, form.text.value, form.preset.value) == (text, text, text)
    for name, shown in fields(form).items():
        assert form.changed(Sizing.of(text), name, shown) == text


@pytest.mark.parametrize(
    ("before", "name", "given", "after"),
    [
        ("percent:1.0", "value", "33.3", "percent:0.333"),
        ("percent:1.0", "value", "50 %", "percent:0.5"),
        ("percent:1.0", "max_exposure", "3", "percent:1.0,3.0"),
        ("percent:1.0,3.0", "value", "250", "percent:2.5,3.0"),
        ("cash:5000", "value", "12,500", "cash:12500.0"),
        ("risk:1%", "value", "2", "risk:0.02"),
    ],
)
def test_a_field_changes_its_part_of_the_text(before: str, name: str, given: str, after: str) -> None:
    form = form_of(before)
    form.fields[name].value = given
    assert (form.held, form.text.value, form.problem.text) == (after, after, "")


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("value", "0", "Share of equity [%]: '0' is not a number above 0. 100 is kept."),
        ("value", "half", "Share of equity [%]: 'half' is not a number above 0. 100 is kept."),
        ("value", "200", "Share of equity [%]: percent(2) is above max_exposure=1; lower it, or allow it with"),
        ("max_exposure", "inf", "At most [× equity]: 'inf' is not a number above 0. 1 is kept."),
    ],
)
def test_a_refused_value_is_named_and_the_field_shows_what_is_in_force(name: str, given: str, message: str) -> None:
    form = form_of("percent:1.0")
    form.fields[name].value = given
    assert form.problem.text.startswith(message)
    assert (form.held, fields(form)) == ("percent:1.0", {"value": "100", "max_exposure": "1"})


def test_another_kind_has_its_own_label_and_a_value_to_begin_with() -> None:
    form = form_of("percent:2.0,3.0")
    form.kind.value = "risk"
    assert (form.held, form.fields["value"].label, form.fields["value"].value) == (
        "risk:0.01,3.0", "Risk [% of equity]", "1",
    )  # fmt: skip
    form.text.value = "a lot"
    assert form.problem.text.startswith("Text of size: sizing='a lot' is unknown; give percent:1.0, ")
    assert form.problem.text.endswith(" risk:0.01,3.0 is kept.")


def test_the_controls_of_costs_contain_the_form() -> None:
    controls = TradeControls(TradeState(sizing="risk:1%"))
    assert controls.size.preset.value == "risk:0.01"
    controls.size.preset.value = "units:1.0"
    assert controls.state.sizing == "units:1.0"
