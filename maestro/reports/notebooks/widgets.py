"""Widgets of a notebook as static outputs: the value of a control, a finished progress bar, a captured figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from maestro.reports.html.environment import render

WIDGET = "application/vnd.jupyter.widget-view+json"
_HIDDEN = ("ProgressModel", "ButtonModel", "LayoutModel", "StyleModel")


def static_outputs(outputs: list[Any], widgets: Mapping[str, Any]) -> list[Any]:
    """Outputs in which each view of a widget is replaced by what it showed when the notebook was saved.

    Parameters
    ----------
    outputs : outputs of a cell
    widgets : state of the notebook's widgets by their ids, as Jupyter keeps it in the notebook's metadata
    """
    shown: list[Any] = []
    for output in outputs:
        view = output.get("data", {}).get(WIDGET)
        if view is None:
            shown.append(output)
            continue
        words, captured = _read(str(view.get("model_id")), widgets, ())
        if words:
            shown.append(_html(render("control.html", words=words)))
        shown += static_outputs(captured, widgets)
    return shown


def _read(model: str, widgets: Mapping[str, Any], above: tuple[str, ...]) -> tuple[list[str], list[Any]]:
    """Words and captured outputs of a widget and those in it."""
    model = model.removeprefix("IPY_MODEL_")
    entry = widgets.get(model)
    if entry is None or model in above:
        return [], []
    kind, state = str(entry.get("model_name", "")), entry.get("state", {})
    if kind == "OutputModel":
        return [], list(state.get("outputs", []))
    if "children" in state:
        words: list[str] = []
        captured: list[Any] = []
        for child in state["children"]:
            more, outputs = _read(str(child), widgets, (*above, model))
            words += more
            captured += outputs
        return ([" ".join(words)] if _is_progress(state, widgets) and words else words), captured
    if kind.endswith(_HIDDEN):
        return [], []
    value = _value(state)
    if value is None:
        return [], []
    named = str(state.get("description") or "").strip().rstrip(":")
    return [f"{named}: {value}" if named else value], []


def _is_progress(state: Mapping[str, Any], widgets: Mapping[str, Any]) -> bool:
    children = [widgets.get(str(child).removeprefix("IPY_MODEL_"), {}) for child in state["children"]]
    return any(str(child.get("model_name", "")).endswith("ProgressModel") for child in children)


def _value(state: Mapping[str, Any]) -> str | None:
    if "_options_labels" in state and state.get("index") is not None:
        labels, index = state["_options_labels"], state["index"]
        return ", ".join(str(labels[i]) for i in (index if isinstance(index, list) else [index]))
    if state.get("value") is None:
        return None
    value = state["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = re.sub(r"<[^>]*>", "", value) if isinstance(value, str) else str(value)
    return " ".join(unescape(text).split()) or None


def _html(text: str) -> Any:
    import nbformat.v4 as v4

    make: Any = v4.new_output
    return make("display_data", data={"text/html": text})
