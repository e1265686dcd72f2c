"""Read dates and times from text: order, separators, month names, AM and PM, and zones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from maestro.data.files.options import say
from maestro.data.files.sampling import MANY
from maestro.data.files.stamp_errors import last_year
from maestro.errors import BarsError

_CLOCK = re.compile(r"[T\s]\d{1,2}(:\d|-?\s*[AaPp][Mm])")
_ZONE = r"(?i)\s*(?:\b(Z|UTC|GMT)|(?:UTC|GMT)\s*([+-]\d{1,2}(?::?\d{2})?)|([+-]\d{2}(?::?\d{2})?))$|(?:\d)(Z)$"
_REGION = r"\s([A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?|UTC|EST5EDT)$"
_LETTERS = r"\s[A-Z]{2,5}$"
_TIMES = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H%M%S", "%H%M", "%H.%M.%S", "%H.%M")
_WORDS = {"%Y": "year", "%y": "year", "%m": "month", "%d": "day", "%B": "month"}


@dataclass(frozen=True, slots=True)
class ParsedDates:
    """Texts read as dates.

    Attributes
    ----------
    wall : Datetime('us') series
        What stands there, without its zone; null where a text is not understood.
    offset : Int64 series [minutes east of UTC] or None
        Null where a text has none; None where no text has one.
    region : str
        Zone by name (``America/New_York``) at the end of the texts, or empty.
    order : str
        How the dates are written, in words.
    note : str
        A choice between several possible readings, or empty.
    """

    wall: pl.Series
    offset: pl.Series | None
    region: str
    order: str
    note: str = ""


def read_dates(column: pl.Series, *, drop_letters: bool = False) -> ParsedDates:
    """Read texts as dates; an unrecognised text becomes null.

    Parameters
    ----------
    column : String series without nulls
    drop_letters : bool
        Drop abbreviations like ``EST`` at the end, where the caller knows the zone.

    Raises
    ------
    BarsError
        Day and month are ambiguous.
    """
    if len(column) and (plain := _plain_iso(column) or _by_parts(column, drop_letters)):
        return plain
    text = column.str.strip_chars(" \t\r\n\"'\u00a0")
    offset, region = None, ""
    if text.str.contains(_CLOCK.pattern).any():
        text = text.str.replace(r"\s*\([^)]*\)$", "")
        region = _common_region(text)
        text = text.str.replace(_REGION, "") if region else text
        text, offset = _split_offset(text)
        if drop_letters:
            half = text.str.contains(r"(?i)\s[AP]M$")
            text = pl.select(pl.when(half).then(text).otherwise(text.str.replace(_LETTERS, ""))).to_series()
    text = _normalised(text)
    sample = str(text[int(text.str.len_chars().fill_null(0).arg_max() or 0)])
    found = [(form, _parse(text, form)) for form in _forms(text, sample)]
    fewest = min((wall.null_count() for _, wall in found), default=len(text))
    best = [(form, wall) for form, wall in found if wall.null_count() == fewest and fewest < len(text)]
    if not best:
        return ParsedDates(pl.Series(column.name, [None] * len(text), pl.Datetime("us")), offset, region, "")
    form, wall, note = _one_of(best, str(column[0]))
    return ParsedDates(wall, offset, region, _in_words(form), note)


def _plain_iso(text: pl.Series) -> ParsedDates | None:
    """ISO in one spelling, as most files have it: read at once."""
    sample = str(text[int(text.is_not_null().arg_max() or 0)])
    match = re.fullmatch(r"\d{4}-\d{2}-\d{2}(?:([T ])\d{2}:\d{2}(:\d{2}(?:\.\d+)?)?(Z|\+00:00)?)?", sample)
    if match is None:
        return None
    between, seconds, zone = match.groups()
    form = "%Y-%m-%d" + (f"{between}%H:%M" if between else "") + (":%S" if seconds else "")
    wall = text.str.to_datetime(form + (zone or ""), time_unit="us", strict=False)
    if wall.null_count() > text.null_count() and seconds:  # several times slower, and seldom needed
        wall = text.str.to_datetime(f"{form}%.f{zone or ''}", time_unit="us", strict=False)
    if wall.null_count() > text.null_count():
        return None
    offset = pl.Series([0], dtype=pl.Int64).new_from_index(0, len(text)) if zone else None
    return ParsedDates(wall, offset, "", "year-month-day")


def _by_parts(text: pl.Series, drop_letters: bool) -> ParsedDates | None:
    """Long columns of a date and a time: each different date and time is read once."""
    if len(text) < MANY or text.null_count():
        return None
    match = re.fullmatch(r"([^\sT]{6,})([ T])(\d.*)", str(text[0]))
    if match is None:
        return _by_date(text) if not re.search(r"\d:\d", str(text[0])) else None
    width = len(match[1].encode())
    if text.str.len_bytes().min() == text.str.len_bytes().max() and text[0].isascii():
        dates, clocks = text.str.slice(0, width), text.str.slice(width + 1)
    else:
        dates, clocks = text.str.splitn(match[2], 2).struct.unnest().get_columns()
    days, times = dates.unique(maintain_order=True), clocks.unique(maintain_order=True)
    if times.null_count() or len(days) + len(times) > len(text) / 2:
        return None
    try:
        day, time = read_dates(days), read_dates("2000-01-01 " + times, drop_letters=drop_letters)
    except BarsError:
        return None  # reported with a whole text
    if day.wall.null_count() or time.wall.null_count() or day.offset is not None or (day.wall.dt.hour() > 0).any():
        return None
    midnight = pl.Series([datetime(2000, 1, 1)]).dt.cast_time_unit("us").to_physical()[0]
    wall = dates.replace_strict(days, day.wall.to_physical(), return_dtype=pl.Int64)
    wall += clocks.replace_strict(times, time.wall.to_physical() - midnight, return_dtype=pl.Int64)
    offset = time.offset
    if offset is not None:
        offset = clocks.replace_strict(times, offset, return_dtype=pl.Int64)
    return ParsedDates(wall.cast(pl.Datetime("us")).alias(text.name), offset, time.region, day.order, day.note)


def _by_date(text: pl.Series) -> ParsedDates | None:
    """Long columns of dates alone, beside a time of day: each different date is read once."""
    days = text.unique(maintain_order=True)
    if len(days) > len(text) / 2:
        return None
    day = read_dates(days)
    if day.wall.null_count() or day.offset is not None or day.region:
        return None
    return ParsedDates(text.replace_strict(days, day.wall), None, "", day.order, day.note)


def _common_region(text: pl.Series) -> str:
    found = text.str.extract(_REGION)
    return str(found[0]) if found.null_count() == 0 and found.n_unique() == 1 and found[0] != "UTC" else ""


def _split_offset(text: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Texts without their offset from UTC, and the offsets [minutes]."""
    clock = text.str.contains(_CLOCK.pattern)
    timed = pl.select(pl.when(clock).then(text)).to_series()
    groups = timed.str.extract_groups(_ZONE).struct.unnest()
    universal = groups.to_series(0).is_not_null() | groups.to_series(3).is_not_null()
    signed = pl.select(pl.coalesce(groups.to_series(1), groups.to_series(2))).to_series()
    if not (universal.any() or signed.is_not_null().any()):
        return text, None
    parts = signed.str.extract_groups(r"^([+-])(\d{1,2}):?(\d{2})?$").struct.unnest()
    size = parts.to_series(1).cast(pl.Int64) * 60 + parts.to_series(2).cast(pl.Int64).fill_null(0)
    minutes = pl.select(
        pl.when(universal).then(0).when(parts.to_series(0) == "-").then(-size).otherwise(size).cast(pl.Int64)
    ).to_series()
    bare = timed.str.replace(r"(?i)(\d)Z$", "$1").str.replace(r"(?i)\s*\b(?:Z|UTC|GMT)$", "")
    bare = bare.str.replace(r"(?i)\s*(?:(?:UTC|GMT)\s*[+-]\d{1,2}|[+-]\d{2})(?::?\d{2})?$", "")
    return bare.fill_null(text), minutes


def _normalised(text: pl.Series) -> pl.Series:
    """One spelling for what does not matter: T, month and weekday names, commas, AM and PM, quarters."""
    steps = (
        (r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+", ""),
        (r"(\d)[Tt](\d)", "$1 $2"),
        (r"(:\d{2}),(\d{1,9})$", "$1.$2"),
        (r"(?i)(\d)\s*-?\s*([AP])\.?M\.?$", "$1 ${2}M"),
        (r"(?i)(\d) AM$", "$1 AM"),
        (r"(?i)(\d) PM$", "$1 PM"),
        (r"(?i)(\s\d{1,2}) ([AP]M)$", "$1:00 $2"),
        (r"年|月", "-"),
        (r"日", ""),
        (r"(?i)\bSept\b", "Sep"),
        (r"(\d)(?:st|nd|rd|th)\b", "$1"),
        (r"(\p{L})\.", "$1"),
        (r",\s*", " "),
        (r"^(\d{4})[-/.]?[Qq]([1-4])$", "$1-Q$2"),
        (r"^(\d{4})-Q1$", "$1-01"), (r"^(\d{4})-Q2$", "$1-04"), (r"^(\d{4})-Q3$", "$1-07"), (r"^(\d{4})-Q4$", "$1-10"),
        (r"^(\d{4})[-/.M](\d{1,2})$", "$1-$2-1"),
        (r"^(\p{L}{3,9})[ -](\d{4})$", "1 $1 $2"),
        (r"\s+", " "),
    )  # fmt: skip
    for pattern, replacement in steps:
        if text.str.contains(pattern).any():
            text = text.str.replace_all(pattern, replacement)
    return text.str.strip_chars()


def _forms(text: pl.Series, sample: str) -> list[str]:
    """Formats that a text of this shape can have."""
    shapes = (
        (r"\d{4}([-/. ])\d{1,2}([-/. ])\d{1,2}", ("%Y{0}%m{1}%d",)),
        (r"\d{1,2}([-/. ])\d{1,2}([-/. ])\d{4}", ("%d{0}%m{1}%Y", "%m{0}%d{1}%Y")),
        (r"\d{1,2}([-/. ])\d{1,2}([-/. ])\d{2}", ("%d{0}%m{1}%y", "%m{0}%d{1}%y", "%y{0}%m{1}%d")),
        (r"\d{1,2}([-/. ]?)\p{L}{3,}([-/. ']?)\d{4}", ("%d{0}%B{1}%Y",)),
        (r"\d{1,2}([-/. ]?)\p{L}{3,}([-/. ']?)\d{2}", ("%d{0}%B{1}%y",)),
        (r"\d{4}([-/. ]?)\p{L}{3,}([-/. ']?)\d{1,2}", ("%Y{0}%B{1}%d",)),
        (r"\p{L}{3,}([-/. ]?)\d{1,2}([-/. ])\d{4}", ("%B{0}%d{1}%Y",)),
        (r"\d{8}", ("%Y%m%d",)),
    )
    for pattern, forms in shapes:
        match = re.match(pattern.replace(r"\p{L}", r"[^\W\d_]") + r"(?!\d)", sample)
        if match is None:
            continue
        dates = [form.format(*match.groups()) for form in forms]
        rest = re.match(r"[ _-]?", sample[match.end() :])
        gap = rest[0] if rest else ""
        if not sample[match.end() + len(gap) :]:
            return dates
        # In a date with points day and month stand in this order everywhere.
        return [f"{one}{gap}{time}" for one in dates for time in _TIMES]
    return []


def _parse(text: pl.Series, form: str) -> pl.Series:
    wall = text.str.to_datetime(form, time_unit="us", strict=False)
    date = re.match(r"(?:%[YymdB]|[-/.' ](?=%[YymdB]))+", form)
    if wall.null_count() and date and date[0] != form:  # R and spreadsheets write midnights without a time of day
        wall = wall.fill_null(text.str.to_datetime(date[0], time_unit="us", strict=False))
    short = "%y" in form  # 24-01-31 is not a day of 2031
    sound = wall.dt.year().is_between(1950 if short else 1000, last_year() if short else 9999)
    return pl.select(pl.when(sound).then(wall)).to_series()


def _one_of(best: list[tuple[str, pl.Series]], first: str) -> tuple[str, pl.Series, str]:
    """The reading that can be meant, of those that fit equally well."""
    different = [best[0]]
    for form, wall in best[1:]:
        if not any(wall.equals(other) for _, other in different):
            different.append((form, wall))
    pointed = [one for one in different if re.match(r"%d\.", one[0])]
    if len(different) > 1 and pointed:
        return *pointed[0], ""
    if len(different) == 1:
        return *different[0], ""
    ordered = [one for one in different if _one_direction(one[1])]
    if len(ordered) == 1:
        form, wall = ordered[0]
        note = f"dates like {first} are read as {_in_words(form)}: only so they are in order"
        return form, wall, note
    choices = " or ".join(say("unit", form.replace("%B", "%b")) for form, _ in different)
    raise BarsError(
        f"dates like {first} can be {' or '.join(_in_words(form) for form, _ in different)}, and no row tells which; "
        f"give the format: {choices}."
    )


def _one_direction(wall: pl.Series) -> bool:
    steps = wall.drop_nulls().diff().drop_nulls().dt.total_microseconds()
    return bool((steps >= 0).all() or (steps <= 0).all())


def _in_words(form: str) -> str:
    return "-".join(_WORDS[token] for token in re.findall(r"%[YymdB]", form))
