"""Widgets of a notebook become the values that they had."""

from __future__ import annotations

from typing import Any

import pytest

from maestro.reports.notebooks.widgets import WIDGET, static_outputs


def test_widgets_within_widgets_and_unknown_ones() -> None:
    def widget(kind: str, **state: Any) -> dict[str, Any]:
        return {"model_name": kind, "state": state}

    message = {"output_type": "stream", "name": "stdout", "text": "hi"}
    state = {
        "box": widget("VBoxModel", children=[f"IPY_MODEL_{name}" for name in ("a", "b", "c", "box")]),
        "a": widget("DropdownModel", description="how", _options_labels=["x", "<y>"], index=1),
        "b": widget("CheckboxModel", description="on", value=True),
        "c": widget("OutputModel", outputs=[message]),
    }
    view = {"output_type": "display_data", "data": {WIDGET: {"model_id": "box"}}, "metadata": {}}
    text, captured = static_outputs([view], state)
    assert text["data"]["text/html"] == '<p class="control"><span>how: &lt;y&gt;</span><span>on: yes</span></p>'
    assert captured["text"] == "hi"
    assert static_outputs([{"data": {WIDGET: {"model_id": "gone"}}}], state) == []


@pytest.mark.parametrize(
    ("kind", "state", "shown"),
    [
        ("IntSliderModel", {"description": "fast:", "value": 5}, "fast: 5"),
        ("SelectMultipleModel", {"_options_labels": ["a", "b", "c"], "index": [0, 2]}, "a, c"),
        ("HTMLModel", {"value": "<b>a</b> &amp; b"}, "a &amp; b"),
        ("CheckboxModel", {"value": False, "description": "on"}, "on: no"),
    ],
)
def test_each_kind_of_control_is_its_value(kind: str, state: dict[str, Any], shown: str) -> None:
    view = {"data": {WIDGET: {"model_id": "m"}}}
    [found] = static_outputs([view], {"m": {"model_name": kind, "state": state}})
    assert found["data"]["text/html"] == f'<p class="control"><span>{shown}</span></p>'


@pytest.mark.parametrize("kind", ["ButtonModel", "LayoutModel", "SliderStyleModel"])
def test_what_shows_no_value_leaves_nothing(kind: str) -> None:
    view = {"data": {WIDGET: {"model_id": "m"}}}
    assert static_outputs([view], {"m": {"model_name": kind, "state": {"value": "x"}}}) == []


def test_other_outputs_stay_as_they_are() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "hi"}
    assert static_outputs([output], {}) == [output]
