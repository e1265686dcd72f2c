"""Interpret a table as the rows of one symbol: columns, numbers and timestamps, before the rules are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from maestro.data.files.clocks import time_of_day, zone_in_name
from maestro.data.files.columns import Chosen, choose_columns, symbols_of_columns
from maestro.data.files.headerless import columns_by_value, is_numbered
from maestro.data.files.names import OPTIONAL, PRICES, REQUIRED, plain, price_of, shown
from maestro.data.files.numbers import has_no_number, style_of, to_numbers
from maestro.data.files.options import ReadOptions, say
from maestro.data.files.rules import Rows
from maestro.data.files.stamps import Stamps, interpret_timestamps
from maestro.data.files.symbols import (
    choose_symbol,
    column_holding,
    is_one_series,
    separating_column,
    several,
    symbol_column,
    symbols_in,
)
from maestro.data.files.volume import NO_VOLUME
from maestro.errors import BarsError

ROW = "\x1frow"
"""Column with the numbers of the rows as they stood."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """Rows of one symbol and how they were understood.

    Attributes
    ----------
    frame : polars frame
        ``timestamp`` Datetime('us', 'UTC'), then Float64 columns; in the order of the source.
    rows : Rows, names of the rows in messages
    symbol : str, as the source names it, or empty
    notes : tuple of str, decisions that a user must know
    how : dict of (what, how) for a user to read
    local : bool, stamps are calendar dates of a zone other than UTC
    """

    frame: pl.DataFrame
    rows: Rows
    symbol: str = ""
    notes: tuple[str, ...] = ()
    how: dict[str, str] = field(default_factory=dict)
    local: bool = False


def interpret(
    table: pl.DataFrame,
    options: ReadOptions | None = None,
    *,
    where: str = "the frame",
    first_line: int | None = None,
    separator: str = ",",
    header: bool = True,
    lenient_symbol: bool = False,
    any_year: bool = False,
) -> Interpretation:
    """Rows of one symbol in a table.

    Parameters
    ----------
    table : polars frame
    options : ReadOptions, given by the user
    where : str, what the table is called in messages
    first_line : int, optional, of a file: the line of the first row
    separator : str, between the cells of the file
    header : bool, the names of the columns say what they are
    lenient_symbol : bool
        A symbol that is given renames the only one of the table.
    any_year : bool
        Years are not checked.

    Raises
    ------
    BarsError
        A column that is missing or ambiguous, stamps or numbers that cannot be read, or several symbols.
    """
    options = options or ReadOptions()
    if table.is_empty():
        raise BarsError(f"{where} is empty; bars need at least one row.")
    table, symbol, column = _one_symbol(_with_date(table, options), options, where, lenient_symbol)
    table = table.with_row_index(ROW) if ROW not in table.columns else table
    names = [name for name in table.columns if name != ROW]
    chosen = _choose(table.select(names), options, separator, header)
    rows = Rows(table[ROW].to_numpy().astype(np.int64), first_line)
    numbers, dropped = _numbers(table, chosen, rows)
    notes = list(chosen.notes)
    if dropped.any():
        notes += filter(None, [_dropped_note(table, dropped, rows)])
        table, numbers = table.filter(~dropped), numbers.filter(~dropped)
        rows = Rows(table[ROW].to_numpy().astype(np.int64), first_line)
        if table.is_empty():
            raise BarsError(f"{where} has no row with numbers.")
    stamps = _stamps(table, chosen, options, rows, any_year=any_year)
    notes += stamps.notes
    if column is None and not symbol:
        _refuse_mixed(table, stamps.utc, chosen, where)
    frame, filled = _filled(numbers.insert_column(0, stamps.utc.alias("timestamp")), rows)
    notes += filled
    how = {"columns": _columns_in_words(table, chosen, column), "stamps": stamps.how}
    return Interpretation(frame, rows, symbol or chosen.symbol, tuple(dict.fromkeys(notes)), how, stamps.local)


def symbols_of(table: pl.DataFrame, options: ReadOptions) -> tuple[str | None, list[str]]:
    """Column that tells symbols apart (None where the names of the columns do), and the symbols; none or one is empty.

    Parameters
    ----------
    options : ReadOptions
        Columns that the user named do not count as symbols of columns.
    """
    wide = [] if set(PRICES) <= options.columns.keys() else symbols_of_columns(table.columns)
    if wide:
        return None, wide
    column = symbol_column(table)
    if column is not None:
        found = symbols_in(table[column])
        if len(found) > 1 and not _rolls(table, column, options):
            return column, found
        return column, []
    return None, []


def _one_symbol(
    table: pl.DataFrame, options: ReadOptions, where: str, lenient: bool
) -> tuple[pl.DataFrame, str, str | None]:
    """Rows of one symbol, its name where the table says it, and the column that does."""
    column, found = symbols_of(table, options)
    symbol = options.symbol
    if column is None and found:
        alike = [one for one in found if one.lower() == symbol.lower()]
        if not alike:
            raise BarsError(several(where, "", found, symbol))
        own = [name for name in table.columns if (price := price_of(name)) is None or price.group in ("", alike[0])]
        return table.select(own), alike[0], None
    if column is None and symbol:
        column = column_holding(table, symbol, ())
    if column is None:
        return table, "", None
    names = symbols_in(table[column])
    if len(names) < 2 and lenient and symbol:
        return table, symbol, column
    if len(names) > 1 and not found and not symbol:  # contracts that follow each other
        return table, " ".join(names[:1]), column
    if len(names) < 2 and symbol and not _strict(column):
        return table, symbol, column
    part, chosen = choose_symbol(table.with_row_index(ROW), column, symbol, where)
    return part, chosen if _is_symbol(chosen, column) else "", column


def _strict(column: str) -> bool:
    return column.lower() in ("symbol", "ticker")


def _is_symbol(text: str, column: str) -> bool:
    """Whether a value may be shown as the symbol: a number in a column of names is an identifier, not a name."""
    return bool(text) and (_strict(column) or not text.isdigit())


def _rolls(table: pl.DataFrame, column: str, options: ReadOptions) -> bool:
    try:
        chosen = _choose(table, options, ",", True)
        stamps = _stamps(table, chosen, options, Rows())
    except BarsError:
        return False
    return is_one_series(table, column, stamps.utc)


def _choose(table: pl.DataFrame, options: ReadOptions, separator: str, header: bool) -> Chosen:
    if header and not is_numbered(table.columns):
        return choose_columns(table, options, separator)
    names = [str(place + 1) for place in range(table.width)]
    numbered = table.rename(dict(zip(table.columns, names, strict=True)))
    if set(REQUIRED[:-1]) <= options.columns.keys():
        chosen = choose_columns(numbered, options, separator)
    else:
        columns = [numbered[name] for name in names]
        numeric = [one for one in columns if one.dtype != pl.String or _numeric(one)]
        style = style_of(numeric, options.decimal, separator)
        found, time, notes = columns_by_value(numbered, style)
        given = {**found, **({"time": time} if time else {}), **options.columns}
        constant = {"volume": "0"} if "volume" not in given else {}
        notes += [NO_VOLUME] if constant else []
        chosen = choose_columns(numbered, replace(options, columns={**given, **constant}), separator)
        chosen.style, chosen.notes = style, [*notes, *chosen.notes]
    own = dict(zip(names, table.columns, strict=True))
    chosen.columns = {name: own[column] for name, column in chosen.columns.items()}
    chosen.time = own.get(chosen.time, "")
    return chosen


def _with_date(table: pl.DataFrame, options: ReadOptions) -> pl.DataFrame:
    """Table whose year, month and day in three columns are one, the date."""
    parts = {plain(name): name for name in table.columns if plain(name) in ("year", "month", "day")}
    if len(parts) < 3 or "timestamp" in options.columns or any(plain(name) == "date" for name in table.columns):
        return table
    numbers = [table[parts[one]].cast(pl.Int64, strict=False) for one in ("year", "month", "day")]
    if any(number.null_count() for number in numbers):
        return table
    year, month, day = (number.cast(pl.String).str.zfill(2) for number in numbers)
    return table.drop(parts.values()).insert_column(0, (year + "-" + month + "-" + day).alias("date"))


def _numeric(column: pl.Series) -> bool:
    head = column.head(50)
    dates = head.str.contains(r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
    return bool(head.str.contains(r"^\s*[-+$€£]?[\d.,]+\s*$").all()) and not dates.any()


def _numbers(table: pl.DataFrame, chosen: Chosen, rows: Rows) -> tuple[pl.DataFrame, pl.Series]:
    """Columns of numbers, and the rows that have neither a price nor a volume."""
    empty = has_no_number(table[chosen.columns[PRICES[0]]])
    for name in PRICES[1:]:
        empty &= has_no_number(table[chosen.columns[name]])
    if "volume" in chosen.columns and empty.any():
        volume = table[chosen.columns["volume"]]
        zero = volume == 0 if volume.dtype.is_numeric() else volume.cast(pl.String).str.contains(r"^[\s0.,]*$")
        empty &= has_no_number(volume) | zero.fill_null(True)
    columns = {}
    for name in (*PRICES, "volume", *OPTIONAL):
        if name in chosen.columns:
            column = table[chosen.columns[name]]
            if empty.any() and column.dtype == pl.String:  # a line of text below the rows
                column = pl.select(pl.when(~empty).then(column)).to_series()
            columns[name] = to_numbers(column, chosen.style, name, rows)
        elif name == "volume":
            columns[name] = pl.Series([chosen.constants.get("volume", 0.0)]).new_from_index(0, len(table))
    return pl.DataFrame({name: values.alias(name) for name, values in columns.items()}), empty


def _dropped_note(table: pl.DataFrame, dropped: pl.Series, rows: Rows) -> str:
    """Note on rows without a number; none on empty lines."""
    found = []
    for place in dropped.arg_true().to_list():
        values = [table[name][place] for name in table.columns if name != ROW]
        text = " ".join(str(value).strip() for value in values if value is not None and value == value)
        if text.strip():
            found.append((place, text))
    if not found:
        return ""
    count, (place, text) = len(found), found[0]
    where = f"the first at {rows(place)}" if count > 1 else rows(place)
    return f"{count:,} row{'s' * (count > 1)} without any price left out ({where}: {text[:60]})"


def _stamps(table: pl.DataFrame, chosen: Chosen, options: ReadOptions, rows: Rows, *, any_year: bool = False) -> Stamps:
    name = chosen.columns["timestamp"]
    zone, note = ("", "") if options.zone else zone_in_name(shown(name))
    if zone:
        options = replace(options, zone=zone)
    stamps = _joined(table[name], table, chosen, options, rows, any_year=any_year)
    if note and (zone or "taken as UTC" in stamps.how):
        stamps = replace(stamps, notes=(*stamps.notes, note))
    return stamps


def _joined(
    column: pl.Series, table: pl.DataFrame, chosen: Chosen, options: ReadOptions, rows: Rows, *, any_year: bool
) -> Stamps:
    """Stamps of a column, with the time of day of another one where it stands apart."""
    if not chosen.time:
        return interpret_timestamps(column, options.unit, options.zone, rows, any_year=any_year)
    clock = time_of_day(table[chosen.time])
    if clock is None or clock.null_count():
        bad = int((clock if clock is not None else table[chosen.time]).is_null().arg_max() or 0)
        raise BarsError(
            f"column {shown(chosen.time)} has {table[chosen.time][bad]!r} at {rows(bad)}, not a time of day; give "
            f"times like 09:30 or 93000, or another column: {say('columns', time='NAME')}."
        )
    if column.dtype == pl.String and options.unit and "%H" in options.unit:
        text = column.str.strip_chars() + " " + table[chosen.time].cast(pl.String).str.strip_chars()
        return interpret_timestamps(text, options.unit, options.zone, rows)
    dates = interpret_timestamps(column, options.unit, "", rows)
    wall = (dates.utc.to_physical() + clock).cast(pl.Datetime("us"))
    joined = interpret_timestamps(wall, "", options.zone, rows)
    return Stamps(
        joined.utc, f"{shown(chosen.columns['timestamp'])} and {shown(chosen.time)} joined; {joined.how}", dates.notes
    )


def _refuse_mixed(table: pl.DataFrame, stamps: pl.Series, chosen: Chosen, where: str) -> None:
    """Refuse rows of several symbols, before the advice to sort them."""
    column = separating_column(table.drop(ROW), stamps, chosen.used)
    if column is not None:
        names = symbols_in(table[column])
        raise BarsError(several(where, column, names))


def _filled(frame: pl.DataFrame, rows: Rows) -> tuple[pl.DataFrame, list[str]]:
    """Rows with 0 for a volume that is missing, or -1 for none; a note where there were any."""
    volume = frame["volume"]
    missing = volume.is_null() | volume.is_nan().fill_null(True)
    unknown = missing | (volume == -1) if bool((volume.fill_null(-1).fill_nan(-1) == -1).all()) else missing
    if not unknown.any():
        return frame, []
    zeros = pl.select(pl.when(unknown).then(0.0).otherwise(volume)).to_series().alias("volume")
    frame = frame.with_columns(zeros)
    if unknown.all():
        return frame, [NO_VOLUME]
    places = unknown.arg_true().to_list()
    count = len(places)
    which = f"the first at {rows(places[0])}, {frame['timestamp'][places[0]]:%Y-%m-%d}"
    return frame, [f"the volume is missing in {count:,} row{'s' * (count > 1)} ({which}); 0 stands in its place"]


def _columns_in_words(table: pl.DataFrame, chosen: Chosen, symbol: str | None) -> str:
    found = {**chosen.columns, **({"time": chosen.time} if chosen.time else {})}
    text = ", ".join(f"{name} ← {shown(column)}" for name, column in found.items())
    rest: Sequence[str] = [
        shown(name) for name in table.columns if name not in chosen.used and name not in (symbol, ROW)
    ]
    return text + (f"; left out: {', '.join(rest)}" if rest else "")
