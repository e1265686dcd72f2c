"""Arrange the rows of a file before the checks: in order of time, one per timestamp, stamped with the bar's open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from maestro.data.files.epochs import STAMP
from maestro.data.files.options import ReadOptions, say
from maestro.data.files.rules import Rows, local_hour_hint
from maestro.data.files.understanding import Interpretation
from maestro.data.timeframes import DAY_US, SECOND_US, infer_timeframe, timeframe_us
from maestro.errors import BarsError

_PLACE = "\x1fplace"


def arrange(known: Interpretation, options: ReadOptions) -> Interpretation:
    """Sort rows, drop equal ones, choose among doubled ones, and move closes to opens; each is noted.

    Raises
    ------
    BarsError
        Several rows with one stamp that differ, and `options.duplicates` does not say which counts.
    """
    places = known.rows.numbers if known.rows.numbers is not None else np.arange(len(known.frame))
    frame = known.frame.with_columns(pl.Series(_PLACE, places))
    notes = list(known.notes)
    frame, order = _sorted(frame, notes)
    frame, doubled = _single(frame, options.duplicates, known.rows, notes)
    end = "the bar's open"
    if options.stamps == "close":
        frame = frame.with_columns(_opens(frame["timestamp"], options.timeframe))
        end = "the bar's close, moved to its open"
    if options.series != "bars":
        end = "UTC"
    how = {**known.how, "stamps": f"{known.how.get('stamps', 'dates')}; {end}; {order}{doubled}"}
    rows = Rows(frame[_PLACE].to_numpy().astype(np.int64), known.rows.first_line)
    return replace(known, frame=frame.drop(_PLACE), rows=rows, notes=tuple(notes), how=how)


def _sorted(frame: pl.DataFrame, notes: list[str]) -> tuple[pl.DataFrame, str]:
    steps = frame["timestamp"].to_physical().diff().drop_nulls()
    back = int((steps < 0).sum())
    if not back:
        return frame, "ascending"
    if (steps <= 0).all():
        notes.append("the rows are stored newest first; they were reversed")
        return frame.reverse().sort("timestamp", maintain_order=True), "newest first, reversed"
    notes.append(f"the rows are not in order of time (in {back:,} place{'s' * (back > 1)}); they were sorted")
    return frame.sort("timestamp", maintain_order=True), "not in order, sorted"


def _single(frame: pl.DataFrame, duplicates: str, rows: Rows, notes: list[str]) -> tuple[pl.DataFrame, str]:
    """One row per stamp; `duplicates` counts in the order of the source."""
    if frame["timestamp"].n_unique() == len(frame):
        return frame, ""
    values = [name for name in frame.columns if name != _PLACE]
    alone = frame.unique(values, keep="first", maintain_order=True)
    equal = len(frame) - len(alone)
    dropped_text = f"; {equal:,} equal row{'s' * (equal > 1)} dropped" if equal else ""
    if equal:
        notes.append(f"{equal:,} row{'s' * (equal > 1)} equal to another one dropped")
    doubled = alone.filter(pl.col("timestamp").is_duplicated())
    if not len(doubled):
        return alone, dropped_text
    if duplicates not in ("first", "last"):
        stamp = doubled["timestamp"][0]
        first, second = sorted(int(place) for place in doubled.filter(pl.col("timestamp") == stamp)[_PLACE][:2])
        shown = Rows(np.array([first, second]), rows.first_line)
        many = doubled["timestamp"].n_unique()
        hint = local_hour_hint(doubled["timestamp"].to_physical().to_numpy())
        raise BarsError(
            f"{many:,} stamp{'s' * (many > 1)} {'have' if many > 1 else 'has'} duplicate rows that differ, the first "
            f"{stamp:%Y-%m-%d %H:%M} at {shown.word}s {shown.number(0)} and {shown.number(1)}; {hint}choose the one "
            f"that counts: {say('duplicates', 'first')} or {say('duplicates', 'last')}."
        )
    kept = alone.sort(_PLACE).unique("timestamp", keep=duplicates, maintain_order=True).sort("timestamp")  # type: ignore[arg-type]
    dropped = len(alone) - len(kept)
    notes.append(f"of rows with the same stamp the {duplicates} counts; {dropped:,} dropped")
    return kept, f"{dropped_text}; of {dropped:,} doubled stamps the {duplicates} row kept"


def _opens(closes: pl.Series, timeframe: str) -> pl.Series:
    """Opens of bars from their closes; a close of …59.999 is the whole second after it."""
    stamps = closes.to_physical()
    for last, missing in ((SECOND_US - 1, 1), (SECOND_US - 1_000, 1_000)):
        if len(stamps) and bool((stamps % SECOND_US == last).all()):
            stamps = stamps + missing
    minute = 60 * SECOND_US
    if len(stamps) and bool((stamps % minute == minute - SECOND_US).all()):
        stamps = stamps + SECOND_US
    length = timeframe_us(timeframe or infer_timeframe(stamps.to_numpy()))
    if length == DAY_US:  # a close within the day belongs to its date
        return ((stamps - 1) // DAY_US * DAY_US).cast(STAMP).alias("timestamp")
    return (stamps - length).cast(STAMP).alias("timestamp")
