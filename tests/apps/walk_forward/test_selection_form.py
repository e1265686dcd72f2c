"""Do the form and the text of a selection say the same, and is a refused value named while the old one stays?"""

from __future__ import annotations

import pytest

from maestro.apps.walk_forward.selection_form import SelectionForm, metric_label
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.walkforward.selection import Selection


def form_of(text: str) -> SelectionForm:
    return SelectionForm(WalkForwardState(select=text), "select")


@pytest.mark.parametrize("text", SelectionForm.presets.values())
def test_a_preset_gives_its_text_and_its_fields_give_it_again(text: str) -> None:
    form = form_of("sortino_ratio")
    form.preset.value = text
    assert (form.held, form.text.value, form.preset.value) == (text, text, text)
    for name, widget in form.fields.items():
        assert form.changed(Selection.of(text), name, widget.value) == text


def test_metrics_kind_and_weights_are_chosen() -> None:
    form = form_of("sharpe_ratio,vwr")
    assert form.fields["metrics"].value == ["sharpe_ratio", "vwr"]
    form.fields["metrics"].value = ["vwr", "-volatility"]
    assert form.held == "vwr,-volatility"
    form.kind.value = "weighted"
    assert form.held == "weighted:vwr=1.0,-volatility=1.0"
    form.fields["-volatility"].value = "0.5"
    assert form.held == "weighted:vwr=1.0,-volatility=0.5"
    metrics = form.fields["metrics"]
    metrics.value = ["total_return", "-volatility"]
    assert form.held == "weighted:total_return=1.0,-volatility=0.5"
    assert list(form.fields) == ["metrics", "total_return", "-volatility"]
    assert form.fields["metrics"] is metrics, "the open list is not replaced by another one"
    form.kind.value = "pareto"
    assert (form.held, list(form.fields)) == ("pareto:total_return,-volatility", ["metrics"])
    form.text.value = "weighted:vwr=2"
    assert (form.kind.value, form.fields["vwr"].value, form.fields["metrics"].value) == ("weighted", "2", ["vwr"])


def test_a_refused_value_is_named_and_the_old_one_stays() -> None:
    form = form_of("weighted:sharpe_ratio=0.7,vwr=0.3")
    form.fields["vwr"].value = "nan"
    assert form.problem.text == "Weight: VWR: 'nan' is not a number. 0.3 is kept."
    assert form.fields["vwr"].value == "0.3"
    form.fields["metrics"].value = []
    assert form.problem.text.startswith("Metrics: a selection without a metric")
    assert form.fields["metrics"].value == ["sharpe_ratio", "vwr"]
    form.text.value = "luck"
    assert form.problem.text.startswith("Text of choice: no metric is called 'luck'")
    assert form.held == form.text.value == "weighted:sharpe_ratio=0.7,vwr=0.3"


def test_a_metric_of_which_less_is_better_is_labelled() -> None:
    assert metric_label("-volatility") == "Volatility, smaller is better"
    assert metric_label("sharpe_ratio") == "Sharpe ratio"
