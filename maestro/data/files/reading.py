"""Read a file or a frame as checked rows of one series, with everything that was inferred."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from maestro.data.files.arranging import arrange
from maestro.data.files.epochs import STAMP
from maestro.data.files.file_names import date_of, provider_of, symbol_of, timeframe_of
from maestro.data.files.frames import to_polars
from maestro.data.files.names import OPTIONAL, PRICES, REQUIRED
from maestro.data.files.options import ReadOptions, say
from maestro.data.files.other_series import interpret_values
from maestro.data.files.rules import Rows, check_bars, check_distance, clip_last_bits
from maestro.data.files.stamp_errors import check_years
from maestro.data.files.tables import Table, read_table
from maestro.data.files.understanding import Interpretation, interpret, symbols_of
from maestro.data.files.unpacking import is_archive
from maestro.data.stores import SeriesKey
from maestro.data.timeframes import DAY_US, infer_timeframe, timeframe_us
from maestro.errors import BarsError, SettingsError, nearest
from maestro.typing import IntArray

_COLUMNS = (*PRICES, "volume", *OPTIONAL)


@dataclass(frozen=True, slots=True)
class Reading:
    """One series of a file: its rows, and how the file was interpreted.

    Attributes
    ----------
    frame : polars frame with canonical columns, ascending, one row per stamp
    provider, symbol, timeframe, series : str, empty where nothing tells them
    understood : list of (what, how) for a user to read
    notes : tuple of str, decisions that change numbers or that a user must know
    """

    frame: pl.DataFrame
    provider: str
    symbol: str
    timeframe: str
    series: str
    understood: list[tuple[str, str]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrays:
    """Checked columns of a frame.

    Attributes
    ----------
    columns : dict of arrays, ``time`` [µs since 1970, UTC] and float64 columns; copies
    symbol : str, as the frame names it, or empty
    notes : tuple of str, decisions that a user must know
    """

    columns: dict[str, Any]
    symbol: str
    notes: tuple[str, ...]

    @property
    def time(self) -> IntArray:
        """Stamps of the bars' opens [µs]."""
        stamps: IntArray = self.columns["time"]
        return stamps


def read_file(path: Path, options: ReadOptions | None = None) -> list[Reading]:
    """Read every series of a file.

    Parameters
    ----------
    path : Path
        Text with any separator, Parquet, Feather, JSON or Excel, packed or not; ``archive.zip#member.csv`` names a
        file of an archive, ``book.xlsx#Sheet`` a sheet.
    options : ReadOptions, optional

    Raises
    ------
    BarsError
        No such file, a format that is not read, or rows that are not bars; the message names the option that helps.
    """
    options = options or ReadOptions()
    path, member = split_member(path)
    table = _table(path, member)
    if options.series != "bars":
        return [_series(path, table, options)]
    _, found = symbols_of(table.frame, options)
    chosen = [options.symbol] if options.symbol or not found else found
    return [_reading(path, table, replace(options, symbol=symbol), renames=True) for symbol in chosen]


def file_symbols(path: Path) -> list[str]:
    """Symbols of a file of several; empty for a file of one.

    Raises
    ------
    BarsError
        It cannot be read.
    """
    return symbols_of(_table(*split_member(path)).frame, ReadOptions())[1]


def read_series(path: Path, options: ReadOptions, member: str = "") -> Reading:
    """Read one series of a file.

    Raises
    ------
    BarsError
        As `read_file`; also several symbols and none is chosen.
    """
    return _reading(path, _table(path, member), options, renames=False)


def file_rows(path: Path, options: ReadOptions, member: str = "") -> tuple[pl.DataFrame, str]:
    """Rows of one series of a file that are not checked, in ascending order, and their symbol."""
    table = _table(path, member)
    known = interpret(
        table.frame, options, where=str(path), first_line=table.first_line, separator=table.separator,
        header=table.header,
    )  # fmt: skip
    return known.frame.sort("timestamp", maintain_order=True), known.symbol or path.name.split(".")[0]


def read_frame(frame: Any, options: ReadOptions | None = None, *, made_up: bool = False) -> Arrays:
    """Read a frame of any library as checked columns of bars.

    Parameters
    ----------
    frame : what `to_polars` takes
    options : ReadOptions, optional
    made_up : bool, stamps may lie in any year

    Raises
    ------
    BarsError
        Columns, stamps or numbers that cannot be understood, or rows that break a rule of bars.
    """
    table = to_polars(frame)
    options = options or ReadOptions()
    if _is_canonical(table) and options == ReadOptions(symbol=options.symbol, timeframe=options.timeframe):
        known = Interpretation(table, Rows())
        if not made_up:
            check_years(table["timestamp"])
    else:
        known = interpret(table, options, any_year=made_up)
    if options.duplicates != "refuse" or options.stamps == "close":
        known = arrange(known, options)
    columns, note = checked_arrays(known)
    return Arrays(columns, known.symbol, (*known.notes, *filter(None, [note])))


def canonical_frame(frame: Any, symbol: str | None = None) -> pl.DataFrame:
    """Frame with canonical names and types: timestamp Datetime('us', 'UTC') of the bar's open, the rest Float64.

    A frame of several symbols is cut to `symbol`. Rows keep their order, and nothing is checked.

    Raises
    ------
    BarsError
        A missing column, stamps that cannot be read, text in place of numbers, or several symbols.
    """
    return interpret(to_polars(frame), ReadOptions(symbol=symbol or "")).frame


def checked_arrays(known: Interpretation, *, copy: bool = True) -> tuple[dict[str, Any], str]:
    """Columns as arrays, checked, and a note where last bits were clipped.

    Copies, unless `copy` is False: a polars column can share its memory with an array that its owner may still change.
    """
    convert = np.array if copy else np.asarray
    columns: dict[str, Any] = {"time": convert(known.frame["timestamp"].to_physical().to_numpy())}
    for name in _COLUMNS:
        if name in known.frame.columns:
            column = known.frame[name]  # filling is a lazy query of polars: slower than all the rest
            values = column.fill_null(np.nan) if column.null_count() else column
            columns[name] = convert(values.to_numpy(), np.float64)
    note = clip_last_bits(columns)
    check_bars(columns["time"], columns, known.rows)
    return columns, note


def _is_canonical(table: pl.DataFrame) -> bool:
    """Whether a frame is one of Maestro's own: nothing has to be understood."""
    schema = table.schema
    if table.is_empty() or schema.get("timestamp") != STAMP or not set(REQUIRED) <= schema.keys():
        return False
    known = all(schema[name] == pl.Float64 for name in _COLUMNS if name in schema)
    if not known or not schema.keys() <= {"timestamp", *_COLUMNS} or table["timestamp"].null_count():
        return False
    volume = table["volume"]
    return not (volume.null_count() or volume.is_nan().any() or table["close"].is_nan().all())


# -- files ----------------------------------------------------------------------------------


def split_member(path: Path) -> tuple[Path, str]:
    """A path and the member after its last ``#``, where the whole is not a file itself."""
    if path.is_file() or "#" not in path.name:
        return path, ""
    name, _, member = str(path).rpartition("#")
    return Path(name), member


def holds_members(path: Path) -> bool:
    """Whether what stands after ``#`` is a file of an archive or a sheet, not a symbol."""
    return path.suffix.lower() in (".xlsx", ".xlsm") or is_archive(path)


def _table(path: Path, member: str) -> Table:
    if os.path.isdir(path):
        raise BarsError(f"{path} is a folder; give a file in it.")
    if not os.path.isfile(path):
        raise BarsError(f"there is no file {path}{_neighbour(path)}")
    table = read_table(path, member)
    if table.frame.is_empty():
        raise BarsError(f"{path} has no row; bars need at least one.")
    return _of_lean(table, path)


def _reading(path: Path, table: Table, options: ReadOptions, *, renames: bool) -> Reading:
    known = interpret(
        table.frame, options, where=str(path), first_line=table.first_line, separator=table.separator,
        header=table.header, lenient_symbol=renames,
    )  # fmt: skip
    arranged = arrange(known, options)
    columns, note = checked_arrays(arranged, copy=False)
    time = columns["time"]
    timeframe = _timeframe(path, table, time, options)
    check_distance(time, timeframe, timeframe_us(timeframe))
    notes = tuple(dict.fromkeys((*table.notes, *arranged.notes, *filter(None, [note]))))
    frame = pl.DataFrame(
        {"timestamp": pl.Series(time).cast(STAMP), **{name: columns[name] for name in _COLUMNS if name in columns}}
    ).with_columns(pl.col(name).fill_nan(None) for name in OPTIONAL if name in columns)
    understood = [("file", f"{path.name}: {table.form}, {len(table.frame):,} rows"), *arranged.how.items()]
    understood += _summary(frame, timeframe) + [("note", one) for one in notes]
    symbol = known.symbol or options.symbol or (symbol_of(table.name) if renames else "")
    provider = options.provider or provider_of(path.name)
    return Reading(frame, provider, symbol, timeframe, "bars", understood, notes)


def _series(path: Path, table: Table, options: ReadOptions) -> Reading:
    """Rows of funding, open interest or basis."""
    known = interpret_values(table.frame, options, str(path), table.first_line)
    arranged = arrange(known, options)
    frame, timeframe = arranged.frame, ""
    if options.series != "funding":
        timeframe = _timeframe(path, table, frame["timestamp"].to_physical().to_numpy(), options)
    understood = [("file", f"{path.name}: {table.form}, {len(table.frame):,} rows"), *arranged.how.items()]
    understood += _summary(frame, timeframe) + [("note", one) for one in arranged.notes]
    symbol = known.symbol or options.symbol or symbol_of(table.name)
    provider = options.provider or provider_of(path.name)
    return Reading(frame, provider, symbol, timeframe, options.series, understood, arranged.notes)


def _summary(frame: pl.DataFrame, timeframe: str) -> list[tuple[str, str]]:
    lines = []
    if timeframe:
        steps = frame["timestamp"].to_physical().diff().drop_nulls()
        share = float((steps == timeframe_us(timeframe)).mean() or 0.0) if len(steps) else 1.0  # type: ignore[arg-type]
        lines.append(("timeframe", f"{timeframe} ({share:.2%} of the distances between rows)"))
    first, last = frame["timestamp"][0], frame["timestamp"][-1]
    return [*lines, ("range", f"{len(frame):,} rows, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")]


def _timeframe(path: Path, table: Table, time: IntArray, options: ReadOptions) -> str:
    if options.timeframe:
        timeframe_us(options.timeframe)
        return options.timeframe
    if len(time) >= 2:
        return infer_timeframe(time)
    timeframe = timeframe_of(table.name) or timeframe_of(path.name)
    if not timeframe:
        raise BarsError(f"{path} has one row, which does not tell its timeframe; give it: {say('timeframe', '1h')}.")
    return timeframe


def _of_lean(table: Table, path: Path) -> Table:
    """A file of QuantConnect's LEAN: milliseconds of the day in the rows, the date in the name of the file."""
    frame = table.frame
    if table.header or frame.width < 5:
        return table
    first = frame.to_series(0)
    day: date | None = date_of(table.name) or date_of(path.name)
    if not first.dtype.is_integer() or first.null_count() or not first.is_between(0, DAY_US // 1_000 - 1).all():
        numbers = all(frame.to_series(place).dtype.is_numeric() for place in range(1, 5))
        dated = first.dtype == pl.String and bool(first.str.contains(r"^\d{8} \d{2}:\d{2}$").all())
        return replace(table, notes=(*table.notes, _TEN_THOUSANDTHS)) if dated and numbers and _tens(frame) else table
    if day is None or (first % 1_000 != 0).any() or (len(first) > 1 and not (first.diff().drop_nulls() > 0).all()):
        return table
    begin = (day - date(1970, 1, 1)).days * (DAY_US // 1_000)
    note = f"the stamps are milliseconds of the day, {day} by the name of the file"
    notes = (*table.notes, note, *([_TEN_THOUSANDTHS] if _tens(frame) else []))
    return replace(table, frame=frame.with_columns((first + begin).alias(first.name)), notes=notes)


_TEN_THOUSANDTHS = "the prices are whole numbers, as in LEAN's files of US stocks: ten-thousandths, kept as they are"


def _tens(frame: pl.DataFrame) -> bool:
    return all(bool((frame.to_series(place) % 1 == 0).all()) for place in range(1, 5))


def _neighbour(path: Path) -> str:
    """The closest file name in the same folder, as a question."""
    if not os.path.isdir(path.parent):
        return f" (nor a folder {path.parent})."
    return "." + nearest(path.name, [other.name for other in path.parent.iterdir() if other.is_file()])


def series_key(reading: Reading) -> SeriesKey:
    """The key under which a reading is stored.

    Raises
    ------
    SettingsError
        Provider or symbol is unknown, or not allowed in a name; says which flags give it.
    """
    unknown = [flag for flag, value in (("provider", reading.provider), ("symbol", reading.symbol)) if not value]
    if unknown:
        raise SettingsError(
            f"the file's name does not tell its {' and '.join(unknown)}; give "
            f"{' '.join(f'--{flag} NAME' for flag in unknown)}."
        )
    return SeriesKey(reading.provider, reading.symbol, reading.timeframe, reading.series)
