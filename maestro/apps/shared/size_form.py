"""The form for the size of trades: a share of equity, an amount, units, a target volatility, or a risk at the stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import panel as pn

from maestro.apps.shared.checked_box import as_shown
from maestro.apps.shared.text_form import HALF, TextForm, number_in
from maestro.engine import Sizing

_LABELS = {
    "percent": "Share of equity [%]", "cash": "Amount", "units": "Units", "volatility": "Per year [%]",
    "risk": "Risk [% of equity]",
}  # fmt: skip
_IN_PERCENT = ("percent", "volatility", "risk")
_BEGIN = {"percent": 1.0, "cash": 10_000.0, "units": 1.0, "volatility": 0.2, "risk": 0.01}
"""Value to begin with when a kind is chosen."""


class SizeForm(TextForm):
    """Writes a size such as ``percent:1.0`` or ``risk:0.01``; shares are percentages here."""

    title = "Size"
    presets = {
        "all of the equity": "percent:1.0",
        "half of the equity": "percent:0.5",
        "10 % of the equity": "percent:0.1",
        "10,000 per trade": "cash:10000.0",
        "one unit": "units:1.0",
        "20 % volatility per year": "volatility:0.2",
        "1 % of the equity at risk": "risk:0.01",
    }
    kinds = {
        "a share of the equity": "percent",
        "an amount": "cash",
        "a number of units": "units",
        "a target volatility": "volatility",
        "a loss at the stop": "risk",
    }

    def parse(self, text: str) -> Sizing:
        return Sizing.of(text)

    def kind_of(self, value: Any) -> str:
        return str(value.kind)

    def of_kind(self, kind: str, before: Any) -> list[str]:
        most = 1.0 if before is None else before.max_exposure
        return [Sizing(kind, _BEGIN[kind], most).text, Sizing(kind, _BEGIN[kind]).text]  # type: ignore[arg-type]

    def make(self, value: Any) -> tuple[dict[str, Any], list[Any]]:
        import panel_material_ui as pmui

        boxes = {
            "value": pmui.TextInput(label=_LABELS[value.kind], width=HALF),
            "max_exposure": pmui.TextInput(label="At most [× equity]", width=HALF),
        }
        return boxes, [pn.Row(*boxes.values())]

    def shown(self, value: Any) -> dict[str, Any]:
        scale = 100.0 if value.kind in _IN_PERCENT else 1.0
        return {"value": as_shown(value.value * scale), "max_exposure": as_shown(value.max_exposure)}

    def changed(self, value: Any, name: str, given: Any) -> str:
        number = number_in(given.strip().removesuffix("%"), above=0)
        if name == "value" and value.kind in _IN_PERCENT:
            number = float(f"{number / 100.0:.12g}")  # 0.333, not 0.33299999999999996
        return replace(value, **{name: number}).text
