"""Read a column of timestamps in any common format as microseconds in UTC, and report how it was interpreted."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from maestro.data.files.clocks import localize
from maestro.data.files.dates import ParsedDates, read_dates
from maestro.data.files.epochs import UNITS, WORDS, numbers_in, read_numbers
from maestro.data.files.options import say
from maestro.data.files.sampling import spread
from maestro.data.files.stamp_errors import REMEDY, UNDERSTOOD, Place, check_years, row_name, shown_value
from maestro.data.timeframes import DAY_US, SECOND_US
from maestro.errors import BarsError


@dataclass(frozen=True, slots=True)
class Stamps:
    """Stamps of a column.

    Attributes
    ----------
    utc : Datetime('us', 'UTC') series
    how : str, the form in words
    notes : tuple of str, decisions that a user must know
    local : bool
        They are midnights of a zone other than UTC, given by their calendar dates.
    """

    utc: pl.Series
    how: str
    notes: tuple[str, ...] = ()
    local: bool = False


def read_stamps(column: pl.Series) -> pl.Series:
    """Moments as Datetime('us', 'UTC'): dates, datetimes (naive is UTC), text, or epoch s, ms, µs, ns.

    The unit of an epoch is recognised by its size: 10, 13, 16 or 19 digits for any date from 1973 on.

    Raises
    ------
    BarsError
        Nulls, text that is not a date, or stamps some of which name a zone and some none.
    """
    return _read(column, "", "", row_name).utc


def interpret_timestamps(
    column: pl.Series, unit: str = "", zone: str = "", place: Place | None = None, *, any_year: bool = False
) -> Stamps:
    """Stamps of bars: as `read_stamps`, but midnights of a zone keep their calendar date, and the years are checked.

    Parameters
    ----------
    column : series
    unit : str
        ``s``, ``ms``, ``us``, ``ns``, ``excel`` or a date format, if the user gave it.
    zone : str
        Zone of stamps that name none.
    place : function, optional
        Name of a row in messages.
    any_year : bool
        Years are not checked.

    Raises
    ------
    BarsError
        As `read_stamps`; also years before 1900 or after next year, and numbers that are not stamps.
    """
    place = place or row_name
    stamps = _read(column, unit, zone, place, checked=True)
    if not any_year:
        check_years(stamps.utc, place, column)
    return stamps


def looks_like_stamps(column: pl.Series) -> bool:
    """Whether at least half of a sample can be read as stamps."""
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return True
    sample = spread(column, 50)
    if not len(sample):
        return False
    if sample.dtype == pl.String and not sample.str.contains(r"^\s*-?\d+(\.0*)?\s*$").all():
        try:
            return read_dates(sample).wall.null_count() * 2 <= len(sample)
        except BarsError:
            return True  # day and month of these dates cannot be distinguished
    try:
        check_years(_read(sample, "", "", row_name, checked=True).utc)
    except BarsError:
        return False
    return True


def _read(column: pl.Series, unit: str, zone: str, place: Place, *, checked: bool = False) -> Stamps:
    if column.null_count():
        row = int(column.is_null().arg_true()[0])
        raise BarsError(
            f"the timestamp is missing at {place(row)}; {column.null_count()} in all. Fill in or remove these rows."
        )
    kind = column.dtype
    if unit == "excel" or unit in UNITS:
        return _located(numbers_in(column, unit), f"epoch in {WORDS.get(unit, 'days of Excel')} (said)", zone)
    if unit:
        return _by_format(column, unit, zone, place)
    if kind == pl.Date:
        return Stamps(column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), "dates")
    if isinstance(kind, pl.Datetime):
        return _of_datetimes(column.dt.cast_time_unit("us"), kind.time_zone, zone, place)
    if kind == pl.String:
        numeric = re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", str(column[0])) if len(column) else None
        if numeric and column.str.contains(r"^\s*-?\d{1,19}(\.0*)?\s*$").all():
            digits = column.str.strip_chars().str.replace(r"\.0*$", "")
            return _of_numbers(digits.cast(pl.Int64), zone, place, checked=checked)
        if numeric and column.str.contains(r"^\s*-?\d+(\.\d*)?\s*$").all():
            return _of_numbers(column.str.strip_chars().cast(pl.Float64), zone, place, checked=checked)
        return _of_text(column, zone, place)
    if kind.is_numeric():
        return _of_numbers(column, zone, place, checked=checked)
    raise BarsError(f"the timestamp has type {kind}; give dates, text or epoch numbers.")


# -- datetimes and text ---------------------------------------------------------------------


def _of_datetimes(column: pl.Series, own: str | None, zone: str, place: Place) -> Stamps:
    if own is None:
        utc = localize(column, zone, place) if zone else column.dt.replace_time_zone("UTC")
        return _dated(utc, column, f"dates in {zone}" if zone else "dates without a zone, taken as UTC")
    utc = column.dt.convert_time_zone("UTC")
    if own not in ("UTC", "Etc/UTC", "GMT"):
        return _dated(utc, column.dt.replace_time_zone(None), "dates with their zone")
    return _located(utc, "dates in UTC", zone)


def _of_text(column: pl.Series, zone: str, place: Place) -> Stamps:
    written = read_dates(column, drop_letters=bool(zone))
    wall = written.wall
    if wall.null_count():
        raise BarsError(_not_understood(column, written, place))
    notes = (written.note,) if written.note else ()
    if written.region:
        utc = localize(wall, written.region, place)
        return _dated(utc, wall, f"dates in {written.region}", notes)
    offset = written.offset
    if offset is None:
        utc = localize(wall, zone, place) if zone else wall.dt.replace_time_zone("UTC")
        return _dated(utc, wall, f"dates in {zone}" if zone else "dates without a zone, taken as UTC", notes)
    if offset.null_count():
        named, bare = int(offset.is_not_null().arg_true()[0]), int(offset.is_null().arg_true()[0])
        raise BarsError(
            f"the timestamps mix zones: {place(named)} is {column[named]!r}, {place(bare)} is {column[bare]!r}; "
            "give the zone in all of them, or in none."
        )
    if (offset == 0).all():
        return _located(wall.dt.replace_time_zone("UTC"), "dates in UTC", zone, notes)
    utc = (wall.to_physical() - offset * 60 * SECOND_US).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _dated(utc, wall, "dates with their offset from UTC", notes)


def _not_understood(column: pl.Series, written: ParsedDates, place: Place) -> str:
    bad = written.wall.is_null().arg_true()
    row, count = int(bad[0]), len(bad)
    if count * 2 > len(column):
        value = shown_value(column[row])
        letters = re.search(r"\d\s+([A-Z]{2,5})'?$", value)
        if letters and letters[1] not in ("AM", "PM"):
            return (
                f"the timestamp {value} at {place(row)} names its zone {letters[1]}, which may mean several; give the "
                f"zone: {say('zone', 'America/New_York')}."
            )
        return f"the timestamp {value} at {place(row)} is not understood; read are {UNDERSTOOD}. {REMEDY}"
    return (
        f"the timestamp {shown_value(column[row])} at {place(row)} is not a date of the calendar, written as "
        f"{written.order} like the other rows ({count:,} such row{'s' * (count > 1)} of {len(column):,}). Correct or "
        f"remove {'them' if count > 1 else 'it'}; where the order is another one, give the format: "
        f"{say('unit', '%d/%m/%Y')}."
    )


def _dated(utc: pl.Series, wall: pl.Series, how: str, notes: tuple[str, ...] = ()) -> Stamps:
    """Stamps, by their calendar dates where they are midnights of another zone, a day or more apart."""
    if not utc.dt.replace_time_zone(None).equals(wall) and _midnights(wall):
        midnight = wall.dt.round("1d").dt.replace_time_zone("UTC")
        return Stamps(midnight, f"{how}; midnights, by their calendar dates", notes, local=True)
    return Stamps(utc, how, notes)


def _midnights(wall: pl.Series) -> bool:
    """Whether local times are those of daily bars: at midnight, but for an hour where the clocks skip it."""
    clock = wall.to_physical() % DAY_US
    if not (clock <= 3_600 * SECOND_US).all() or (clock == 0).sum() * 10 < 9 * len(wall):
        return False
    steps = wall.to_physical().sort().diff().drop_nulls()
    return not len(steps) or bool((steps.filter(steps > 0) >= DAY_US - 2 * 3_600 * SECOND_US).all())


def _located(utc: pl.Series, how: str, zone: str, notes: tuple[str, ...] = ()) -> Stamps:
    """Moments in UTC; a zone that is given gives daily bars their calendar date."""
    if not zone or zone == "UTC" or (utc.to_physical() % DAY_US == 0).all():
        return Stamps(utc, how, notes)
    steps = utc.to_physical().sort().diff().drop_nulls()
    if len(steps) and bool((steps.filter(steps > 0) >= DAY_US - 2 * 3_600 * SECOND_US).all()):
        wall = utc.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return Stamps(wall.dt.truncate("1d").dt.replace_time_zone("UTC"), f"{how}; dates of {zone}", notes, local=True)
    return Stamps(utc, how, notes)


def _of_numbers(column: pl.Series, zone: str, place: Place, *, checked: bool) -> Stamps:
    counted = read_numbers(column, place, checked=checked)
    stamps, how = counted.stamps, counted.how
    if not counted.naive:
        return _located(stamps, how, zone, counted.notes)
    wall = stamps.dt.replace_time_zone(None)
    if zone:
        return _dated(localize(wall, zone, place), wall, f"{how} in {zone}", counted.notes)
    return Stamps(wall.dt.replace_time_zone("UTC"), f"{how}, taken as UTC", counted.notes)


def _by_format(column: pl.Series, form: str, zone: str, place: Place) -> Stamps:
    """Stamps in the format that the user gave."""
    plain = form.replace(".%f", "%.f")  # a point before the fraction belongs to the fraction
    text = column.cast(pl.String).str.strip_chars()
    try:
        wall = text.str.to_datetime(plain, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise BarsError(f"the format {form!r} cannot be used ({str(error).splitlines()[0]}).") from None
    if wall.null_count():
        row = int(wall.is_null().arg_true()[0])
        raise BarsError(
            f"the timestamp {shown_value(column[row])} at {place(row)} is not written as {form!r} "
            f"({wall.null_count():,} of {len(wall):,} rows are not); give another unit= (--unit)."
        )
    own = wall.dtype.time_zone if isinstance(wall.dtype, pl.Datetime) else None
    if own:
        return _located(wall.dt.convert_time_zone("UTC"), f"dates as {form} (said)", zone)
    utc = localize(wall, zone, place) if zone else wall.dt.replace_time_zone("UTC")
    return _dated(utc, wall, f"dates as {form} (said), {zone or 'UTC'}")
