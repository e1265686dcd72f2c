"""The form for the choice among the trials of a fold: its metrics, and how they decide together."""

from __future__ import annotations

from typing import Any

import panel as pn

from maestro._core import formatting as formats
from maestro.apps.shared.checked_box import as_shown
from maestro.apps.shared.text_form import HALF, TextForm, number_in
from maestro.metrics import NAMES
from maestro.walkforward.selection import Selection


def metric_label(name: str) -> str:
    """Label of a metric of a selection; ``-volatility`` counts the smaller the better."""
    plain = name.removeprefix("-")
    return formats.label(plain) + (", smaller is better" if name != plain else "")


class SelectionForm(TextForm):
    """Writes a selection such as ``sharpe_ratio,vwr`` or ``weighted:sharpe_ratio=0.7,max_drawdown=0.3``."""

    title = "Choice"
    presets = {
        "Sharpe ratio, then VWR": "sharpe_ratio,vwr",
        "largest return": "total_return",
        "return to drawdown (Calmar)": "calmar_ratio",
        "Sharpe ratio 70 %, drawdown 30 %": "weighted:sharpe_ratio=0.7,max_drawdown=0.3",
        "ranks of Sharpe ratio and drawdown": "rank_average:sharpe_ratio,max_drawdown",
        "front of Sharpe ratio and volatility": "pareto:sharpe_ratio,-volatility",
    }
    kinds = {
        "in order: the next decides ties": "order",
        "largest weighted sum": "weighted",
        "best average rank": "rank_average",
        "Pareto front, then ranks": "pareto",
    }

    def parse(self, text: str) -> Selection:
        return Selection.of(text)

    def kind_of(self, value: Any) -> str:
        return str(value.kind)

    def layout_of(self, value: Any) -> str:
        return f"{value.kind}:{','.join(value.metrics)}" if value.kind == "weighted" else str(value.kind)

    def of_kind(self, kind: str, before: Any) -> list[str]:
        metrics = ("sharpe_ratio", "vwr") if before is None else before.metrics
        return [Selection(metrics, kind, (1.0,) * len(metrics) if kind == "weighted" else ()).text]  # type: ignore[arg-type]

    def make(self, value: Any) -> tuple[dict[str, Any], list[Any]]:
        import panel_material_ui as pmui

        names = [*NAMES, *(f"-{name}" for name in NAMES)]
        options = {metric_label(name): name for name in names}
        metrics = self.fields.get("metrics") or pmui.MultiChoice(
            label="Metrics", options=options, searchable=True, sizing_mode="stretch_width"
        )
        weights = {
            name: pmui.TextInput(label=f"Weight: {metric_label(name)}", width=HALF)
            for name in (value.metrics if value.kind == "weighted" else ())
        }
        boxes = list(weights.values())
        rows = [pn.Row(*boxes[k : k + 2]) for k in range(0, len(boxes), 2)]
        return {"metrics": metrics, **weights}, [metrics, *rows]

    def shown(self, value: Any) -> dict[str, Any]:
        weights = zip(value.metrics, value.weights, strict=True) if value.kind == "weighted" else ()
        return {"metrics": list(value.metrics), **{name: as_shown(weight) for name, weight in weights}}

    def changed(self, value: Any, name: str, given: Any) -> str:
        weights = dict(zip(value.metrics, value.weights, strict=True)) if value.kind == "weighted" else {}
        if name == "metrics":
            metrics = tuple(given)
        else:
            metrics, weights[name] = value.metrics, number_in(given)
        chosen = tuple(weights.get(one, 1.0) for one in metrics) if value.kind == "weighted" else ()
        return Selection(metrics, value.kind, chosen).text
