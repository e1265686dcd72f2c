"""A chart of bars as a Panel component: candles, panes of lines, trades and marked spans on one time axis.

It draws with TradingView's Lightweight Charts, which is part of the package: no other machine is asked. In a notebook
a `Chart` is shown like any Panel object; it needs ``pn.extension(inline=True)`` once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import param
import polars as pl
from panel.custom import JSComponent

from maestro.bars import as_us
from maestro.errors import SettingsError
from maestro.reports.figures.downsampling import thin
from maestro.reports.figures.equity import LOG_FROM
from maestro.reports.figures.theme import DARK, LIGHT, OVERLAYS

if TYPE_CHECKING:
    from maestro.bars import Bars

UP, DOWN, NEUTRAL = LIGHT["gain"], LIGHT["loss"], LIGHT["benchmark"]
MARKED = 2_000
"""Trades that are marked, the last ones where there are more; `Chart.set_trades` returns how many are not."""
_MARKS = [
    {"position": position, "shape": shape, "color": color}
    for position, shape, color in (
        ("belowBar", "arrowUp", UP), ("aboveBar", "circle", NEUTRAL),
        ("aboveBar", "arrowDown", DOWN), ("belowBar", "circle", NEUTRAL),
    )
]  # fmt: skip
"""Long entry and exit, short entry and exit."""
_SPANS = {"fatal": "rgba(204,78,0,0.38)", "warning": "rgba(214,138,20,0.34)", "info": "rgba(61,86,178,0.18)"}
_NIGHT = {LIGHT[name]: DARK[name] for name in LIGHT} | {NEUTRAL: DARK["benchmark"]}
Kind = Literal["line", "histogram", "area", "baseline"]
Format = Literal["price", "money", "volume", "percent", "rate"]


@dataclass(frozen=True)
class Line:
    """One line of a pane.

    Parameters
    ----------
    name : str
    time : int64[n] [µs]
    values : float64[n], NaN is a gap
    color : CSS colour, or one a point; those of `maestro.reports.figures.theme` have a partner for the dark
    kind : {"line", "histogram", "area", "baseline"}
    format : {"price", "money", "volume", "percent", "rate"}, how values are written
    """

    name: str
    time: Any
    values: Any
    color: str | Sequence[str] = OVERLAYS[0]
    kind: Kind = "line"
    format: Format = "price"
    width: float = 1.5
    options: dict[str, Any] = field(default_factory=dict)

    def message(self, candles: Any = None) -> dict[str, Any]:
        """What the page is sent; without its times [s] where they are those of the candles."""
        data: dict[str, Any] = {"time": _seconds(self.time), "value": np.asarray(self.values, np.float64)}
        if candles is not None and np.array_equal(data["time"], candles):
            del data["time"]
        several = not isinstance(self.color, str)
        if several:
            palette, index = np.unique(np.asarray(self.color, dtype=str), return_inverse=True)
            if len(palette) > 255:
                raise SettingsError(
                    f"the line {self.name!r} has {len(palette)} colours; give at most 255 different ones."
                )
            data["palette"], data["color"] = palette.tolist(), index.astype(np.uint8)
        return {
            "name": self.name, "kind": self.kind, "format": self.format, "width": self.width, "data": data,
            "color": NEUTRAL if several else self.color, "options": self.options,
        }  # fmt: skip


@dataclass(frozen=True)
class Pane:
    """Lines that share a scale: ``"price"`` is the pane of the candles, any other name one of its own below."""

    name: str
    lines: Sequence[Line]
    height: float = 1.0
    """Share of the chart's height; the candles have 4."""
    log: bool = False


class Chart(JSComponent):
    """Candles with panes, trades and spans; zoomed and panned in the page, by mouse, buttons and keys.

    Parameters
    ----------
    bars : Bars, optional
    **params
        Of the component: height [px], sizing_mode.

    Attributes
    ----------
    shown : [from, to] or None, seconds since 1970, what the page shows
    clicked : seconds since 1970 or None, the bar that was clicked last
    """

    candles: dict[str, Any] = param.Dict(default={})  # type: ignore[assignment]
    panes: list[Any] = param.List(default=[])  # type: ignore[assignment]
    markers: dict[str, Any] = param.Dict(default={})  # type: ignore[assignment]
    trades: dict[str, Any] = param.Dict(default={})  # type: ignore[assignment]
    title: str = param.String(default="")  # type: ignore[assignment]
    spans: list[Any] = param.List(default=[])  # type: ignore[assignment]
    log: bool = param.Boolean(default=False)  # type: ignore[assignment]
    window: Any = param.Parameter(default=None)
    shown: Any = param.Parameter(default=None)
    clicked: Any = param.Parameter(default=None)

    night: dict[str, str] = param.Dict(default=_NIGHT, constant=True)  # type: ignore[assignment]

    _bundle = "chart.bundle.js"

    def __init__(self, bars: Bars | None = None, **params: Any) -> None:
        params.setdefault("height", 560)
        params.setdefault("sizing_mode", "stretch_width")
        super().__init__(**params)
        if bars is not None:
            self.set_bars(bars)

    def set_bars(self, bars: Bars) -> None:
        """Show these candles; what was marked on others goes."""
        candles = {name: np.ascontiguousarray(getattr(bars, name)) for name in ("open", "high", "low", "close")}
        log = bool(bars.high.max() / bars.low.min() >= LOG_FROM)
        self.param.update(
            log=log, candles={"time": _seconds(bars.time), **candles}, markers={}, trades={}, spans=[], clicked=None,
            panes=[], title=bars.name,
        )  # fmt: skip

    def set_panes(self, panes: Iterable[Pane]) -> None:
        """Show these panes; a line that keeps its name and pane only gets new values."""
        self.panes = [
            {
                "name": pane.name,
                "height": pane.height,
                "log": pane.log,
                "lines": [line.message(self.candles.get("time")) for line in pane.lines],
            }
            for pane in panes
        ]

    def set_trades(self, trades: pl.DataFrame) -> int:
        """Mark and connect entries and exits of a table of trades; returns how many are left out, the first ones."""
        shown = trades.tail(MARKED)
        closed = (shown["exit_reason"] != "open").to_numpy()
        short = (shown["side"] == "short").to_numpy().astype(np.uint8)
        reasons = shown["exit_reason"].replace({"signal": "", "reversal": "", "open": ""}).to_numpy()
        words, word = np.unique(["", *reasons], return_inverse=True)
        opens, closes = (
            shown[name].dt.epoch("s").to_numpy().astype(np.float64) for name in ("entry_time", "exit_time")
        )
        marks = [
            np.concatenate([entry, exit_[closed]])
            for entry, exit_ in ((opens, closes), (2 * short, 2 * short + 1), (0 * word[1:], word[1:]))
        ]
        time, kind, text = (column[np.argsort(marks[0], kind="stable")] for column in marks)
        self.markers = {
            "time": time, "kind": kind, "text": text.astype(np.uint8), "kinds": _MARKS, "words": words.tolist()
        }  # fmt: skip
        reasons, reason = np.unique(shown["exit_reason"].to_numpy(), return_inverse=True)
        self.trades = {
            "entry": opens, "exit": closes, "short": short, "open": (~closed).astype(np.uint8),
            **{name: shown[name].to_numpy() for name in ("entry_price", "exit_price", "pnl")},
            "gain": shown["return"].to_numpy(), "bars": self._bars_between(opens, closes),
            "reason": reason.astype(np.uint8), "reasons": reasons.tolist(), "first": len(trades) - len(shown) + 1,
        }  # fmt: skip
        return len(trades) - len(shown)

    def _bars_between(self, opens: Any, closes: Any) -> Any:
        time = self.candles.get("time", np.zeros(0))
        return (np.searchsorted(time, closes) - np.searchsorted(time, opens)).astype(np.float64)

    def mark(self, spans: Iterable[tuple[int, int, str]]) -> None:
        """Shade stretches of time: (from [µs], to [µs], severity or CSS colour)."""
        self.spans = [
            {"from": start // 1_000_000, "to": end // 1_000_000, "color": _SPANS.get(color, color)}
            for start, end, color in spans
        ]

    def go_to(self, start: str | date | int, end: str | date | int) -> None:
        """Move to a stretch of time (ISO text, dates, or µs)."""
        edges = [edge if isinstance(edge, int) else as_us(edge) for edge in (start, end)]
        self.window = None
        self.window = [edge // 1_000_000 for edge in edges]


def _seconds(time: Any) -> Any:
    return np.asarray(time, np.int64).astype(np.float64) // 1_000_000


def thinned(name: str, time: Any, values: Any, **options: Any) -> Line:
    """A `Line` of at most some thousand points that keeps every peak and trough one can see."""
    values = np.asarray(values, np.float64)
    rows = thin(values, points=20_000)
    return Line(name, np.asarray(time)[rows], values[rows], **options)
