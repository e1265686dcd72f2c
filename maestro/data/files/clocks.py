"""Local clocks: times of a zone in UTC, across clock changes, and times of day in a separate column."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from maestro.data.files.options import say
from maestro.data.files.sampling import MANY, by_value
from maestro.data.timeframes import SECOND_US
from maestro.errors import BarsError

_DOUBTFUL = ("EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "BST", "IST", "JST", "KST", "HKT", "SGT", "MSK")
Place = Callable[[int], str]


def localize(wall: pl.Series, zone: str, place: Place | None = None) -> pl.Series:
    """Local times of a zone in UTC; if an hour occurs twice, its second occurrence is the later one.

    Raises
    ------
    BarsError
        A time that the clocks of the zone skip.
    """
    early = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if early.null_count():
        row = int(early.is_null().arg_true()[0])
        other = "America/New_York" if zone.startswith("Europe") else "Europe/Berlin"
        raise BarsError(
            f"the timestamp {wall[row]} at {(place or 'row {}'.format)(row)} does not exist in {zone}: clocks skip "
            "this hour when summer time begins. The stamps are of another zone; give that one, "
            f"{say('zone', other)}, or {say('zone', 'UTC')}."
        )
    late = wall.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    first, second = (one.dt.convert_time_zone("UTC") for one in (early, late))
    doubtful = first != second
    if not doubtful.any():
        return first
    again = wall.is_duplicated() & ~wall.is_first_distinct()
    return pl.select(pl.when(doubtful & again).then(second).otherwise(first)).to_series()


def zone_in_name(name: str) -> tuple[str, str]:
    """Zone that a column's name holds, ``Time (EET)``, and a note on it; empty where it holds none, or UTC.

    >>> zone_in_name("Time (EET)")[0], zone_in_name("Date(America/New_York)")[0], zone_in_name("Gmt time")[0]
    ('EET', 'America/New_York', '')
    """
    match = re.search(r"[(\[ _]([A-Z][A-Za-z]+/[A-Za-z_]+|[A-Z]{3,4})[)\]]?$", name.strip())
    found = match[1] if match else "local" if re.search(r"(?i)\blocal\b", name) else ""
    if found in ("", "UTC", "GMT", "USD", "EUR"):
        return "", ""
    if "/" in found or found in ("EET", "CET", "MET", "WET"):
        return found, f"the stamps are in {found}, by the name of their column, {name}"
    if found not in ("local", *_DOUBTFUL):
        return "", ""
    how = say("zone", "NAME")
    return "", f"the stamps are taken as UTC, though their column is called {name}; give their zone: {how}"


def time_of_day(column: pl.Series) -> pl.Series | None:
    """Microseconds since midnight of texts like 09:30 or 9:30:00 PM, or numbers like 93000, 930 or 9; else None."""
    if column.dtype == pl.Time:
        return column.cast(pl.Int64) // 1_000
    if column.null_count() == len(column):
        return None
    if len(column) >= MANY:
        return by_value(column, time_of_day)
    text = column.cast(pl.String).str.strip_chars()
    digits = r"^\d{1,6}(\.0*)?$"
    if text.drop_nulls().str.contains(digits).all():
        text = text.str.replace(r"\.0*$", "")
        longest = int(text.str.len_chars().max() or 0)  # type: ignore[arg-type]
        text = text.str.zfill(2) + "00" if longest <= 2 else text.str.zfill(4 if longest <= 4 else 6)
        parts = text.str.extract_groups(r"^(\d{2})(\d{2})(\d{2})?$").struct.unnest()
    else:
        pattern = r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?\s*(?i)([AP])?\.?M?\.?$"
        parts = text.str.extract_groups(pattern).struct.unnest()
    hours, minutes, seconds = (parts.to_series(place).cast(pl.Int64) for place in range(3))
    seconds = seconds.fill_null(0)
    if hours.null_count() > text.null_count():
        return None
    if parts.width > 3:
        half = parts.to_series(4).str.to_uppercase()
        hours = pl.select(
            pl.when(half.is_null()).then(hours).otherwise(hours % 12 + 12 * (half == "P").cast(pl.Int64))
        ).to_series()
        micro = parts.to_series(3).str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    else:
        micro = seconds * 0
    if not ((hours <= 24).all() and (minutes < 60).all() and (seconds <= 60).all()):
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + micro
