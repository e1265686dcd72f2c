"""Anomalies in market data, and their effect on a backtest; nothing is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import polars as pl

from maestro._core.markup import RIGHT, table
from maestro.bars.calendar import MarketCalendar, infer_calendar
from maestro.bars.gaps import Span, find_gaps
from maestro.data.files.names import OPTIONAL, PRICES
from maestro.data.files.reading import canonical_frame
from maestro.data.outages import without
from maestro.data.timeframes import (
    DAY_US,
    WEEK_US,
    as_datetime,
    infer_timeframe,
    timeframe_months,
    timeframe_us,
)
from maestro.typing import BoolArray, FloatArray, IntArray

Severity = Literal["info", "warning", "fatal"]
SEVERITIES = ("fatal", "warning", "info")

HOLE_US = 90 * DAY_US
"""A gap from this length on is fatal: what lies before it belongs to another market."""
JUMP = 0.10
"""Smallest step between a close and the next open (log) that is called a jump; and 30 times the usual bar."""
WICK = 2.3
"""Smallest distance (log) of a high or low from open and close that is called a bad tick: tenfold."""
SPLITS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50)
UNIT_DECADES = 2.0
"""Change of the typical volume, in powers of ten, from a week to the next, that looks like another unit."""
OFF_BY = 0.02
"""Share by which the years of the bars, at their number per year, may differ from the years of their dates."""
_STRETCH = 24
_WEEK = 7  # stretches (days, of bars shorter than one) on either side of a change of the volume's unit


class Rows(Protocol):
    """What is read of `Bars`; their columns are read by name."""

    @property
    def timeframe(self) -> str: ...
    @property
    def periods_per_year(self) -> float: ...
    @property
    def calendar(self) -> MarketCalendar: ...

    time: IntArray


@dataclass(frozen=True)
class Finding:
    """One kind of oddity: how often, where (µs since 1970, UTC), and what it can do to a backtest."""

    check: str
    severity: Severity
    count: int
    first: int
    last: int
    examples: str
    meaning: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Quality:
    """The result of `bars.quality()`.

    Attributes
    ----------
    findings : tuple of Finding
    table : polars frame, one row per finding: check, severity, count, first, last, examples, meaning
    fatal : bool, a walk-forward should not be run on these bars
    ok : bool, nothing worse than "info"
    marks : list of (check, from, to), datetimes for charts
    """

    findings: tuple[Finding, ...]

    @property
    def fatal(self) -> bool:
        """Whether a finding makes results meaningless."""
        return any(f.severity == "fatal" for f in self.findings)

    @property
    def ok(self) -> bool:
        """Whether nothing is worse than "info"."""
        return all(f.severity == "info" for f in self.findings)

    @property
    def table(self) -> pl.DataFrame:
        """One row per finding."""
        stamp = pl.Datetime("us", "UTC")
        schema = {
            "check": pl.String, "severity": pl.String, "count": pl.Int64, "first": pl.Int64, "last": pl.Int64,
            "examples": pl.String, "meaning": pl.String,
        }  # fmt: skip
        rows = [{name: value for name, value in asdict(f).items() if name != "spans"} for f in self.findings]
        return pl.DataFrame(rows, schema=schema).with_columns(pl.col("first", "last").cast(stamp))

    @property
    def marks(self) -> list[tuple[str, Any, Any]]:
        """Places for charts."""
        return [(f.check, as_datetime(a), as_datetime(b)) for f in self.findings for a, b in f.spans]

    def records(self) -> list[dict[str, Any]]:
        """Return plain rows, for a run's manifest."""
        keep = ("check", "severity", "count", "examples", "meaning")
        return [
            {name: getattr(f, name) for name in keep}
            | {"first": as_datetime(f.first).isoformat(), "last": as_datetime(f.last).isoformat()}
            for f in self.findings
        ]

    def __repr__(self) -> str:
        if not self.findings:
            return "Quality: no anomalies were found"
        lines = [f"{f.severity:8}{f.check:22}{f.count:>8,}  {f.examples}\n{'':8}{f.meaning}" for f in self.findings]
        return "Quality:\n" + "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.findings:
            return "<p>Nothing odd was found in the data.</p>"
        rows = ((f.severity, f.check, f"{f.count:,}", f.examples, f.meaning) for f in self.findings)
        return str(table(("severity", "check", "count", "where", "what it can do"), rows, ("", "", RIGHT)))


def assess(bars: Rows, outages: Sequence[Span] = ()) -> Quality:
    """Look for what is odd in bars.

    Parameters
    ----------
    bars : Bars
    outages : sequence of (from, to) [µs]
        Gaps that the exchange is known to have, to distinguish them from missing downloads.
    """
    columns = {name: getattr(bars, name) for name in (*PRICES, "volume")}
    found = [
        *_annualisation(bars.time, bars.timeframe, bars.periods_per_year),
        *_look(bars.time, columns, bars.timeframe, bars.calendar, outages),
    ]
    return Quality(tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity))))


def assess_frame(frame: Any, *, symbol: str | None = None, timeframe: str | None = None) -> Quality:
    """Look at a raw table that may be too broken for `Bars`: doubled, unsorted and unusable rows are named too."""
    table = canonical_frame(frame, symbol).drop(OPTIONAL, strict=False)
    findings = []
    time = table["timestamp"].to_physical()
    if not time.is_sorted():
        row = int((time.diff() < 0).arg_true()[0])
        findings.append(_at("unsorted", "fatal", time.to_numpy(), [row], "Bars out of order are refused: sort them."))
    doubled = (time.is_duplicated() & ~time.is_first_distinct()).arg_true().to_list()
    if doubled:
        findings.append(
            _at(
                "duplicate stamps", "fatal", time.to_numpy(), doubled, "Which of the rows is true is unknown: keep one."
            )
        )
    prices = table.select((pl.col(PRICES).is_finite() & (pl.col(PRICES) > 0)).fill_null(False))
    volume = (table["volume"].is_finite() & (table["volume"] >= 0)).fill_null(False)
    broken = table["high"] < table["low"]
    bad = (
        (~(prices.select(pl.all_horizontal(pl.all())).to_series() & volume) | broken.fill_null(True))
        .arg_true()
        .to_list()
    )
    if bad:
        meaning = "A price or volume that is missing, not above zero, or a high below its low is refused by Bars."
        findings.append(_at("unusable rows", "fatal", time.to_numpy(), bad, meaning))
    clean = (
        table.with_row_index("_row")
        .filter(~pl.col("_row").is_in(bad))
        .unique("timestamp", keep="first")
        .sort("timestamp")
    )
    if len(clean) > 1:
        stamps = clean["timestamp"].to_physical().to_numpy()
        columns = {name: clean[name].to_numpy() for name in (*PRICES, "volume")}
        name = timeframe or infer_timeframe(stamps)
        findings += _look(stamps, columns, name, infer_calendar(stamps, name), ())
    return Quality(tuple(findings))


def _look(
    time: IntArray, columns: dict[str, FloatArray], timeframe: str, calendar: MarketCalendar, outages: Sequence[Span]
) -> list[Finding]:
    opens, high, low, close, volume = (columns[name] for name in (*PRICES, "volume"))
    length = timeframe_us(timeframe)
    findings = [*_gaps(time, timeframe, calendar, outages), *_off_grid(time, timeframe)]
    outside = np.flatnonzero((opens > high) | (opens < low))
    if len(outside):
        meaning = (
            "As BitMEX stamps it: the open repeats the close before. Fills at the open lie outside the bar's range."
        )
        findings.append(_at("open outside range", "info", time, outside, meaning))
    findings += _volumes(time, close, volume, max(_STRETCH, DAY_US // length))
    findings += _flat(time, opens, high, low, close)
    findings += _steps(time, opens, high, low, close)
    return sorted(findings, key=lambda f: SEVERITIES.index(f.severity))


def _annualisation(time: IntArray, timeframe: str, periods_per_year: float) -> list[Finding]:
    """Whether the number of bars per year fits the dates; otherwise annual figures are wrong."""
    span = int(time[-1] - time[0])
    if len(time) < 20 or span < 180 * DAY_US:
        return []
    by_dates, by_bars = span / (365.2425 * DAY_US), (len(time) - 1) / periods_per_year
    if abs(by_bars / by_dates - 1.0) <= OFF_BY:
        return []
    text = (
        f"{len(time):,} bars at {periods_per_year:,.6g} a year are {by_bars:.2f} years; their dates span {by_dates:.2f}"
    )
    meaning = (
        f"Annual returns, volatilities and ratios are off by as much. Bars may be missing; else give "
        f"periods_per_year={(len(time) - 1) / by_dates:.0f}."
    )
    return [Finding("annualisation", "warning", 1, int(time[0]), int(time[-1]), text, meaning)]


def _off_grid(time: IntArray, timeframe: str) -> list[Finding]:
    """Bars that begin at another moment of the day (week, month) than the others."""
    length = timeframe_us(timeframe)
    if timeframe_months(timeframe):
        months = time.view("datetime64[us]").astype("datetime64[M]").view(np.int64)
        off = np.flatnonzero(np.diff(months, prepend=months[0] - 1) <= 0)
        meaning = "Two bars in one month: the last one is not finished, or belongs to another source."
        return [_at("off the grid", "warning", time, off, meaning)] if len(off) else []
    offset = time % (length if length % WEEK_US == 0 else min(length, DAY_US))
    values, counts = np.unique(offset, return_counts=True)
    off = np.flatnonzero(offset != values[counts.argmax()])
    if length % WEEK_US == 0:  # after a holiday a week may begin a day late
        late = (offset[off] - values[counts.argmax()]) % WEEK_US
        off = off[(late > DAY_US) | (late % DAY_US != 0)]
        meaning = "A bar inside the week of another one: the running week, or another source."
    else:
        meaning = "Bars that begin beside the clock belong to another source or zone; joins and resampling shift."
    return [_at("off the grid", "warning", time, off, meaning)] if len(off) else []


def _gaps(time: IntArray, timeframe: str, calendar: MarketCalendar, outages: Sequence[Span]) -> list[Finding]:
    found = find_gaps(time, timeframe, calendar)
    holes = [span for span in found.missing if span[1] - span[0] >= HOLE_US]
    spans = [span for span in found.missing if span[1] - span[0] < HOLE_US]
    missing, known = spans, []
    if outages:
        missing = without(spans, outages)
        known = without(spans, missing)
    findings = []
    for name, severity, members, meaning in (
        ("hole", "fatal", holes,
         "More than three months are missing: what lies before is another market. Cut the bars with between()."),
        ("gap", "warning", missing,
         "Bars are missing: indicators bridge the hole, and a position jumps over it without its stops."),
        ("exchange outage", "info", known,
         "The exchange itself has no bars here: nobody could trade, and the next open may be far away."),
        ("closed day", "info", found.closed,
         "No bars on a trading day, or none at its end: a holiday or a half day, by their length."),
    ):  # fmt: skip
        if members:
            findings.append(_spans(name, severity, members, meaning, timeframe_us(timeframe), calendar))  # type: ignore[arg-type]
    return findings


def _spans(
    name: str, severity: Severity, spans: list[Span], meaning: str, length: int, calendar: MarketCalendar
) -> Finding:
    longest = max(spans, key=lambda s: s[1] - s[0])
    missing = sum(b - a for a, b in spans) // length
    if len(calendar.weekdays) < 7 and length >= DAY_US:
        ends = (np.array(spans) // DAY_US).astype("datetime64[D]")
        mask = [day in calendar.weekdays for day in range(7)]
        missing = int(np.busday_count(ends[:, 0], ends[:, 1], weekmask=mask).sum()) * DAY_US // length
    text = (
        f"{missing:,} bars missing in {len(spans):,} place{'s' if len(spans) > 1 else ''}; "
        f"the longest from {as_datetime(longest[0]):%Y-%m-%d %H:%M} to {as_datetime(longest[1]):%Y-%m-%d %H:%M}"
    )
    return Finding(name, severity, len(spans), spans[0][0], spans[-1][1], text, meaning, tuple(spans[:1000]))


def _volumes(time: IntArray, close: FloatArray, volume: FloatArray, stretch: int) -> list[Finding]:
    findings = []
    zero = np.flatnonzero(volume == 0)
    if len(zero) == len(volume):
        meaning = "There is no volume at all: rules that read it (VWAP, MomentumBreakout, Fernando) cannot signal."
        return [Finding("no volume", "info", len(zero), int(time[0]), int(time[-1]), "every bar", meaning)]
    if len(zero):
        severity: Severity = "warning" if len(zero) > 0.01 * len(volume) else "info"
        meaning = "Nothing was traded in these bars: a fill there is an invention."
        findings.append(_at("zero volume", severity, time, zero, meaning))
    changes = _unit_changes(volume, stretch)
    if changes:
        meaning = "The typical volume changes a hundredfold at once, as if counted in another unit: volume rules break."
        finding = _at("volume unit", "warning", time, [row for row, _ in changes], meaning)
        findings.append(replace(finding, examples=", ".join(_unit_words(time, close, *change) for change in changes)))
    return findings


def _unit_changes(volume: FloatArray, stretch: int) -> list[tuple[int, float]]:
    """Rows from which on the volume is counted in another unit, with the change in powers of ten.

    Every stretch of the week before must lie a decade from every one of the week after: a crash doubles the volume
    of a day a hundred times over and is not taken for it, nor is a market that is just being born.
    """
    usable = len(volume) // stretch
    if usable < 4:
        return []
    blocks = volume[: usable * stretch].reshape(usable, stretch)
    middle = np.median(blocks, axis=1)
    typical = np.full(usable + 2 * _WEEK, np.nan)
    typical[_WEEK:-_WEEK] = np.log10(middle, out=np.full(usable, np.nan), where=middle > 0)
    windows = np.lib.stride_tricks.sliding_window_view(typical, _WEEK)
    before, after = windows[:usable], windows[_WEEK + 1 :]  # the stretch between may hold the change
    known = (np.isfinite(before).sum(axis=1) >= 2) & (np.isfinite(after).sum(axis=1) >= 2)
    (rows,) = np.nonzero(known)
    if not len(rows):
        return []
    before, after = before[rows], after[rows]
    apart = np.maximum(
        np.nanmin(after, axis=1) - np.nanmax(before, axis=1), np.nanmin(before, axis=1) - np.nanmax(after, axis=1)
    )
    change = np.nanmedian(after, axis=1) - np.nanmedian(before, axis=1)
    hit = np.flatnonzero((apart > 1.0) & (np.abs(change) > UNIT_DECADES))
    found = []
    for group in np.split(hit, np.flatnonzero(np.diff(rows[hit]) > 2) + 1) if len(hit) else []:
        start = max(int(rows[group[0]]) - 1, 0) * stretch
        part = volume[start : (int(rows[group[-1]]) + 2) * stretch]
        level = np.log10(np.where(part > 0, part, np.nan))
        # Where the running sum of what is above the mean turns, the level has changed.
        turned = np.nancumsum(level - np.nanmean(level))
        found.append((start + int(np.abs(turned).argmax()) + 1, float(change[group[len(group) // 2]])))
    return found


def _unit_words(time: IntArray, close: FloatArray, row: int, decades: float) -> str:
    row = min(row, len(time) - 1)
    like_price = abs(abs(decades) - abs(np.log10(close[row]))) < 0.3
    factor = f"{'×' if decades > 0 else '÷'} {10 ** abs(decades):,.0f}{', about the price' if like_price else ''}"
    return f"{as_datetime(time[row]):%Y-%m-%d %H:%M} ({factor})"


def _flat(time: IntArray, opens: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> list[Finding]:
    still = (high == low) & (opens == close)
    still[1:] &= close[1:] == close[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], still, [False])).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= _STRETCH]
    if not runs:
        return []
    longest = max(runs, key=lambda r: r[1] - r[0])
    text = (
        f"{sum(b - a for a, b in runs):,} bars in {len(runs):,} stretches; the longest {longest[1] - longest[0]} bars "
        f"from {as_datetime(time[longest[0]]):%Y-%m-%d %H:%M}"
    )
    meaning = "The price stands still: filled-in bars or a halted market. Bands and z-scores are undefined there."
    spans = tuple((int(time[a]), int(time[b - 1])) for a, b in runs[:1000])
    return [Finding("flat stretch", "warning", len(runs), spans[0][0], spans[-1][1], text, meaning, spans)]


def _steps(time: IntArray, opens: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> list[Finding]:
    if len(close) < 3:
        return []
    findings = []
    logs = np.log(close)
    returns = np.diff(logs)
    usual = 1.4826 * float(np.median(np.abs(returns)))
    bound = max(JUMP, 30 * usual)
    step = np.log(opens[1:] / close[:-1])
    jumps = np.flatnonzero(np.abs(step) > max(JUMP, min(bound, 0.35))) + 1
    ratio = np.exp(np.abs(step[jumps - 1]))
    split = _near_split(ratio)
    if split.any():
        meaning = (
            "The price steps by a whole ratio, as at a split (or in a crash): unadjusted, it is a loss nobody had."
        )
        findings.append(_at("split", "warning", time, jumps[split], meaning))
    if (~split).any():
        meaning = "The open is far from the close before: a hole or a bad tick. Stops fill far from their level."
        findings.append(_at("jump", "warning", time, jumps[~split], meaning))
    away, back = returns[:-1], returns[1:]
    spike = np.flatnonzero((np.abs(away) > bound) & (np.abs(away + back) < 0.25 * np.abs(away))) + 1
    if len(spike):
        meaning = "A close far away that the next bar takes back: a bad tick. Signals and stops react to it."
        findings.append(_at("spike", "warning", time, spike, meaning))
    top, bottom = np.maximum(opens, close), np.minimum(opens, close)
    wick = np.flatnonzero(np.maximum(np.log(high / top), np.log(bottom / low)) > max(WICK, bound))
    if len(wick):
        meaning = "A high or low ten times away from open and close: a bad tick that touches stops and targets."
        findings.append(_at("bad tick", "warning", time, wick, meaning))
    return findings


def _near_split(ratio: FloatArray) -> BoolArray:
    """Whether a step is within 6 % of a usual split ratio (the market moves overnight, too), and at least 1.4."""
    if not len(ratio):
        return np.zeros(0, np.bool_)
    distance = np.abs(np.log(ratio[:, None] / np.array(SPLITS)[None, :])).min(axis=1)
    return (distance < 0.06) & (ratio > 1.4)


def _at(name: str, severity: Severity, time: IntArray, rows: Any, meaning: str) -> Finding:
    rows = [int(row) for row in rows]
    shown = ", ".join(f"{as_datetime(time[row]):%Y-%m-%d %H:%M}" for row in rows[:4])
    more = f" and {len(rows) - 4:,} more" if len(rows) > 4 else ""
    spans = tuple((int(time[row]), int(time[row])) for row in rows[:1000])
    return Finding(name, severity, len(rows), int(time[rows[0]]), int(time[rows[-1]]), shown + more, meaning, spans)
