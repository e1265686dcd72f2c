"""From bars to the Market app's panes, marks and table, without Panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from maestro._core.formatting import minute, moment, percent
from maestro.apps.chart import Line, Pane
from maestro.apps.chart.component import DOWN, UP
from maestro.apps.shared.indicator_panes import merged, panes_of
from maestro.apps.shared.regimes import regime_pane
from maestro.bars import Bars
from maestro.bars.quality import Finding
from maestro.data.timeframes import as_datetime, whole_days
from maestro.regime import RegimeHistory
from maestro.reports.figures.theme import LIGHT


@dataclass(frozen=True)
class Place:
    """One place of a defect: which finding (row of the table) and the stretch [µs]."""

    row: int
    start: int
    end: int


@dataclass(frozen=True)
class Market:
    """One series as the page shows it."""

    bars: Bars
    panes: list[Pane]
    findings: tuple[Finding, ...]
    places: tuple[Place, ...]
    """All places of all defects, by time."""

    @property
    def marks(self) -> list[tuple[int, int, str]]:
        """Stretches for the chart."""
        return [(place.start, place.end, self.findings[place.row].severity) for place in self.places]


def look(bars: Bars, history: RegimeHistory | None = None, indicators: Sequence[str] = ()) -> Market:
    """Panes of indicators, of the regimes and of what the bars carry, and what is odd in them."""
    findings = bars.quality().findings
    places = [
        Place(row, start, end)
        for row, finding in enumerate(findings)
        for start, end in finding.spans or ((finding.first, finding.last),)
    ]
    shown = [regime_pane(history)] if history is not None else []
    drawn = merged([*shown, *panes(bars), *panes_of(indicators, bars)])
    return Market(bars, drawn, findings, tuple(sorted(places, key=lambda place: (place.start, place.row))))


def facts(bars: Bars) -> dict[str, str]:
    """The key facts of a series, as texts by name."""
    more = [name for name in ("funding_rate", "open_interest", "basis") if getattr(bars, name) is not None]
    change = bars.close[-1] / bars.close[0] - 1
    return {
        "Length": f"{len(bars):,} bars",
        "Timeframe": bars.timeframe,
        "From": _stamp(bars, bars.start),
        "To": _stamp(bars, bars.end),
        "Calendar": bars.calendar.text,
        "Last close": f"{bars.close[-1]:,.6g}",
        "Change": percent(change, sign=True),
        "Carries": "prices, volume" + "".join(f", {name.replace('_', ' ')}" for name in more),
        "Fingerprint": bars.fingerprint[:12],
    }  # fmt: skip


def panes(bars: Bars) -> list[Pane]:
    """Volume, and funding, open interest and basis where the bars carry them."""
    up = np.where(bars.close >= bars.open, f"{UP}99", f"{DOWN}99").tolist()
    found = [Pane("volume", [Line("volume", bars.time, bars.volume, color=up, kind="histogram", format="volume")])]
    if bars.funding_rate is not None:
        paid = np.where(np.nan_to_num(bars.funding_rate) >= 0, DOWN, UP).tolist()
        line = Line("funding", bars.time, bars.funding_rate, color=paid, kind="histogram", format="rate")
        found.append(Pane("funding", [line]))
    if bars.open_interest is not None:
        line = Line("open interest", bars.time, bars.open_interest, color=LIGHT["overlay2"], format="volume")
        found.append(Pane("open interest", [line]))
    if bars.basis is not None:
        found.append(Pane("basis", [Line("basis", bars.time, bars.basis, color=LIGHT["overlay1"], format="rate")]))
    return found


def table(findings: tuple[Finding, ...]) -> pl.DataFrame:
    """One row per kind of defect, as the page lists them."""
    schema = {"Severity": pl.String, "Defect": pl.String, "Count": pl.Int64, "Where": pl.String, "Meaning": pl.String}
    rows = [(f.severity, f.check, f.count, f.examples, f.meaning) for f in findings]
    return pl.DataFrame(rows, schema=schema, orient="row")


def window(bars: Bars, place: Place) -> tuple[int, int]:
    """Stretch [µs] around a place of a defect: itself, and 40 bars on either side."""
    a, b = np.searchsorted(bars.time, [place.start, place.end])
    return int(bars.time[max(0, a - 40)]), int(bars.time[min(len(bars) - 1, b + 40)])


def described(market: Market, number: int) -> str:
    """In words, the place of that number."""
    place = market.places[number]
    start, end = as_datetime(place.start), as_datetime(place.end)
    bars = market.bars
    stretch = _stamp(bars, start) + (f" to {_stamp(bars, end)}" if end > start else "")
    return f"{number + 1:,} of {len(market.places):,}: {market.findings[place.row].check}, {stretch} UTC"


def _stamp(bars: Bars, time: datetime) -> str:
    """A bar's moment: the day alone for bars of days, to the minute for shorter ones."""
    return (moment if whole_days(bars.timeframe) else minute)(time)
