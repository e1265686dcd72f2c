"""Indicators on request: lines on the price, and oscillators on panes of their own below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import panel as pn
import param

from maestro import indicators as ind
from maestro.apps.chart import Line, Pane
from maestro.apps.shared.state import AppState
from maestro.bars import Bars
from maestro.errors import SettingsError, nearest
from maestro.reports.figures.theme import LIGHT, OVERLAYS

Lines = list[tuple[str, Any]]


def _bands(bars: Bars) -> Lines:
    bands = ind.bollinger(bars.close, 20, 2.0)
    return [("upper band", bands.upper), ("mean", bands.middle), ("lower band", bands.lower)]


def _macd(bars: Bars) -> Lines:
    found = ind.macd(bars.close)
    return [("MACD", found.line), ("signal", found.signal), ("histogram", found.histogram)]


def _stoch_rsi(bars: Bars) -> Lines:
    found = ind.stoch_rsi(bars.close)
    return [("K", found.k), ("D", found.d)]


INDICATORS: dict[str, tuple[str, Callable[[Bars], Lines]]] = {
    "SMA 50": ("price", lambda bars: [("SMA 50", ind.sma(bars.close, 50))]),
    "SMA 200": ("price", lambda bars: [("SMA 200", ind.sma(bars.close, 200))]),
    "EMA 20": ("price", lambda bars: [("EMA 20", ind.ema(bars.close, 20))]),
    "Bollinger 20, 2": ("price", _bands),
    "VWAP 20": ("price", lambda bars: [("VWAP 20", ind.vwap(bars.close, bars.volume, 20))]),
    "RSI 14": ("RSI 14", lambda bars: [("RSI 14", ind.rsi(bars.close, 14))]),
    "MACD 12, 26, 9": ("MACD 12, 26, 9", _macd),
    "Stochastic RSI 14": ("Stochastic RSI 14", _stoch_rsi),
    "ATR 14": ("ATR 14", lambda bars: [("ATR 14", ind.atr(bars.high, bars.low, bars.close, 14))]),
    "Momentum 10": ("Momentum 10", lambda bars: [("Momentum 10", ind.momentum(bars.close, 10))]),
    "Volume": ("volume", lambda bars: [("volume", bars.volume)]),
}
"""Name, pane, and the lines by name."""
PANE = 100
"""Pixels that a pane adds to the height of a chart."""


class IndicatorState(AppState):
    """Which indicators are drawn."""

    indicators = param.List(default=[], item_type=str, doc=f"Indicators to draw: {', '.join(INDICATORS)}.")


class IndicatorBox(pn.viewable.Viewer):
    """A list of the indicators, in both directions: from the box to the state and back."""

    def __init__(self, state: IndicatorState) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.box = pmui.MultiChoice(
            label="Indicators", options=list(INDICATORS), value=_known(state.indicators), margin=(2, 0),
            sizing_mode="stretch_width", max_width=520,
        )  # fmt: skip
        self.state = state
        self.box.param.watch(self._write, "value")
        state.param.watch(lambda event: self.box.param.update(value=_known(event.new)), "indicators")

    def _write(self, event: Any) -> None:
        if list(event.new) != _known(self.state.indicators):  # unknown names of a link stay until others are chosen
            self.state.indicators = list(event.new)

    def __panel__(self) -> Any:
        return self.box


def _known(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in INDICATORS]


def panes_of(names: Iterable[str], bars: Bars, drawn: int = 0) -> list[Pane]:
    """Panes of indicators, in the order of their names; lines on the price are in one pane called ``price``.

    Parameters
    ----------
    names : names of `INDICATORS`
    bars : Bars
    drawn : int
        Lines on the price that there are already, so that these get other colours.

    Raises
    ------
    SettingsError
        There is no indicator of that name.
    """
    panes: dict[str, list[Line]] = {}
    for name in names:
        if name not in INDICATORS:
            raise SettingsError(
                f"there is no indicator {name!r}; there are: {', '.join(INDICATORS)}.{nearest(name, INDICATORS)}"
            )
        place, lines = INDICATORS[name]
        own = panes.setdefault(place, [])
        for label, values in lines(bars):
            shade = len(own) + (drawn if place == "price" else 0)
            color, kind = OVERLAYS[shade % len(OVERLAYS)], "line"
            if label in ("volume", "histogram"):
                color, kind = LIGHT["benchmark"], "histogram"
            form = "volume" if label == "volume" else "price"
            own.append(Line(label, bars.time, np.asarray(values), color=color, kind=kind, format=form))  # type: ignore[arg-type]
    return [Pane(place, lines) for place, lines in panes.items()]


def merged(panes: Iterable[Pane]) -> list[Pane]:
    """Panes with those of one name put together; a line of a name that its pane has already is drawn once."""
    found: dict[str, Pane] = {}
    for pane in panes:
        before = found.get(pane.name)
        if before is None:
            found[pane.name] = pane
        else:
            names = {line.name for line in before.lines}
            more = [line for line in pane.lines if line.name not in names]
            found[pane.name] = Pane(pane.name, [*before.lines, *more], before.height, before.log)
    return list(found.values())
