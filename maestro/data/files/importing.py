"""A file of market data read into rows of a series, with everything that had to be guessed laid open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from maestro.data.files.frames import OPTIONAL, REQUIRED, canonical_frame, match_columns, read_stamps, symbol_column
from maestro.data.files.rules import check_bars, check_distance
from maestro.data.files.tables import read_table
from maestro.data.sources.protocol import COLUMNS, STAMP
from maestro.data.stores import SeriesKey
from maestro.data.timeframes import infer_timeframe, timeframe_us
from maestro.errors import BarsError, SettingsError, nearest

_EPOCHS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}
_PROVIDERS = ("BINANCE", "BITFINEX", "BITMEX", "BITSTAMP", "BYBIT", "COINBASE", "KRAKEN", "OKX")
_TIMEFRAME = re.compile(r"^[1-9]\d*(s|m|h|d|w|min)$")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person says about a file; what is left out is guessed.

    Attributes
    ----------
    provider, symbol, timeframe, series : str
    columns : mapping
        From ``timestamp``, ``open``, … to the file's own names, or (volume) to a number that stands for all rows.
    unit : str
        Of the stamps: ``s``, ``ms``, ``us``, ``ns``, or a date format like ``%d/%m/%Y %H:%M``.
    stamps : ``"open"`` or ``"close"``
        Which end of the bar the stamps are.
    duplicates : ``"refuse"``, ``"first"`` or ``"last"``
        Which of several rows with one stamp counts; rows that are equal in everything are always one.
    """

    provider: str = ""
    symbol: str = ""
    timeframe: str = ""
    series: str = "bars"
    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    stamps: str = "open"
    duplicates: str = "refuse"

    def __post_init__(self) -> None:
        allowed = {"series": tuple(COLUMNS), "stamps": ("open", "close"), "duplicates": ("refuse", "first", "last")}
        for name, values in allowed.items():
            value = getattr(self, name)
            if value not in values:
                raise SettingsError(f"--{name} {value!r} is unknown; give {', '.join(values)}.{nearest(value, values)}")


@dataclass(frozen=True, slots=True)
class Reading:
    """One series of a file: its rows, and how the file was understood.

    Attributes
    ----------
    frame : polars frame with canonical columns, ascending, a row a stamp
    provider, symbol, timeframe, series : str, empty where nothing tells them
    understood : list of (what, how) for a person to read
    """

    frame: pl.DataFrame
    provider: str
    symbol: str
    timeframe: str
    series: str
    understood: list[tuple[str, str]]


def read_file(path: Path, choices: Choices | None = None) -> list[Reading]:
    """Read a CSV (also .gz or .zip, any usual separator, with or without a header) or Parquet file.

    A file with a ``symbol`` column of several symbols gives one reading a symbol.

    Raises
    ------
    BarsError
        No such file, a form that is not read, a column that cannot be told, or stamps or numbers that cannot be
        read; says which flag would help.
    """
    choices = choices or Choices()
    if not path.is_file():
        raise BarsError(f"{path} is no file; give a CSV, Parquet or zip file.")
    table, form = read_table(path)
    if table.is_empty():
        raise BarsError(f"{path} has no row.")
    own = symbol_column(table)
    if own is None:
        return [_reading(path, table, form, choices, choices.symbol or _symbol_of(path))]
    symbols = sorted(str(name) for name in table[own].drop_nulls().unique())
    if choices.symbol and choices.symbol not in symbols and len(symbols) > 1:
        raise BarsError(f"{path} has no {choices.symbol!r}; it has {', '.join(symbols[:20])}.")
    taken = symbols if not choices.symbol else [choices.symbol]
    parts = [(one, table.filter(pl.col(own).cast(pl.String) == one) if len(symbols) > 1 else table) for one in taken]
    return [_reading(path, part, form, choices, symbol) for symbol, part in parts]


def _reading(path: Path, table: pl.DataFrame, form: str, choices: Choices, symbol: str) -> Reading:
    found = _match(table.columns, choices)
    understood = [("file", f"{path.name}: {form}, {len(table):,} rows")]
    for name in OPTIONAL if choices.series == "bars" else ():
        if name in found and not (table[found[name]].cast(pl.Float64, strict=False) != 0).any():
            del found[name]  # a column that is there for its place only: nothing but zeros
    shown = [f"{name} ← {column}" for name, column in found.items()]
    left_out = [name for name in table.columns if name not in found.values() and name.lower() != "symbol"]
    understood.append(("columns", ", ".join(shown) + (f"; left out: {', '.join(left_out)}" if left_out else "")))
    stamps, unit = _stamps(table[found["timestamp"]], choices.unit)
    table = table.with_columns(**{found["timestamp"]: stamps})
    frame = _canonical(table, found, choices.series)
    order = "ascending"
    steps = frame["timestamp"].to_physical().diff().drop_nulls()
    if len(steps) and (steps < 0).any():
        order = "newest first, turned round" if (steps <= 0).all() else "not in order, sorted"
        frame = frame.sort("timestamp", maintain_order=True)
    frame, doubled = _undouble(frame, choices.duplicates, path)
    timeframe = _timeframe(path, frame, choices)
    if choices.stamps == "close":
        length = timeframe_us(timeframe)
        frame = frame.with_columns((pl.col("timestamp").to_physical() - length).cast(STAMP))
    end_of = "the bar's close, moved to its open" if choices.stamps == "close" else "the bar's open"
    understood.append(("stamps", f"{unit}; {end_of if choices.series == 'bars' else 'UTC'}; {order}{doubled}"))
    if timeframe:
        grid = frame["timestamp"].to_physical().diff().drop_nulls()
        share = float((grid == timeframe_us(timeframe)).mean() or 0.0) if len(grid) else 1.0  # type: ignore[arg-type]
        understood.append(("timeframe", f"{timeframe} ({share:.2%} of the distances between rows)"))
    first, last = frame["timestamp"][0], frame["timestamp"][-1]
    understood.append(("range", f"{len(frame):,} rows, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"))
    if choices.series == "bars":
        time = frame["timestamp"].to_physical().to_numpy()
        check_bars(time, {name: frame[name].fill_null(float("nan")).to_numpy() for name in COLUMNS["bars"]})
        check_distance(time, timeframe, timeframe_us(timeframe))
    provider = choices.provider or _provider_of(path)
    return Reading(frame, provider, symbol, timeframe, choices.series, understood)


def _match(names: list[str], choices: Choices) -> dict[str, str]:
    """Canonical column to the file's own; what was said comes before what is guessed."""
    wanted = ("timestamp", *COLUMNS[choices.series])
    for canonical, name in choices.columns.items():
        if canonical not in (*wanted, *OPTIONAL):
            raise BarsError(
                f"no column is called {canonical!r}; give {', '.join(wanted)}." + nearest(canonical, wanted)
            )
        if name not in names and not (canonical == "volume" and _is_number(name)):
            raise BarsError(f"the file has no column {name!r}; it has {', '.join(names)}." + nearest(name, names))
    said = dict(choices.columns)
    if set(wanted) <= said.keys():
        return said
    free = [name for name in names if name not in said.values()]
    renamed = [*free, *said]  # those said are found under their canonical names
    if choices.series == "bars":
        try:
            found = match_columns(renamed)
        except BarsError as error:
            raise BarsError(
                f"{error} Or say it: --column volume=NAME; --column volume=0 where there is none."
            ) from None
        return {name: said.get(name, column) for name, column in found.items()}
    stamp = said.get("timestamp") or _guess_stamp(free)
    value = wanted[1]
    near = [name for name in free if name != stamp and value.replace("_", "") in re.sub(r"[^a-z]", "", name.lower())]
    rest = near if near else [name for name in free if name != stamp and name.lower() != "symbol"]
    if value not in said and len(rest) != 1 and not near:
        raise BarsError(f"which column is {value}? Say it: --column {value}=NAME; there are {', '.join(rest)}.")
    return {"timestamp": stamp, value: said.get(value, rest[0] if rest else "")}


def _guess_stamp(names: list[str]) -> str:
    try:
        return match_columns([*names, *REQUIRED[1:]])["timestamp"]
    except BarsError:
        raise BarsError(
            f"which column is the timestamp? Say it: --column timestamp=NAME; there are {', '.join(names)}."
        ) from None


def _canonical(table: pl.DataFrame, found: dict[str, str], series: str) -> pl.DataFrame:
    columns = {}
    for name, column in found.items():
        columns[name] = table[column] if column in table.columns else pl.Series([float(column)] * len(table))
    frame = pl.DataFrame({name: values.alias(name) for name, values in columns.items()})
    if series == "bars":
        return canonical_frame(frame)
    value = COLUMNS[series][0]
    # The reader of bars is asked for one number column: the others are filled with it.
    filled = frame.with_columns(**{name: pl.col(value) for name in REQUIRED[1:]})
    return canonical_frame(filled).select("timestamp", pl.col("close").alias(value)).drop_nulls()


def _stamps(column: pl.Series, unit: str) -> tuple[pl.Series, str]:
    """Stamps in UTC, and what their unit was."""
    if unit in _EPOCHS:
        number = column.cast(pl.Float64 if column.dtype.is_float() else pl.Int64, strict=False)
        if number.null_count() > column.null_count():
            raise BarsError(f"the stamps are no numbers (the first is {column[0]!r}), so their unit is not {unit}.")
        whole = number.cast(pl.Int64) // 1_000 if unit == "ns" else (number * _EPOCHS[unit]).cast(pl.Int64)
        return whole.cast(STAMP), f"epoch in {unit} (said)"
    if unit:
        try:
            stamps = column.cast(pl.String).str.strip_chars().str.to_datetime(unit, time_unit="us", strict=True)
        except pl.exceptions.PolarsError:
            raise BarsError(f"the stamp {column[0]!r} is not written as {unit!r}; say it with --unit.") from None
        zone = stamps.dtype.time_zone if isinstance(stamps.dtype, pl.Datetime) else None
        utc = stamps.dt.convert_time_zone("UTC") if zone else stamps.dt.replace_time_zone("UTC")
        return utc, f"dates as {unit} (said), UTC"
    stamps = read_stamps(column)
    first = str(column[0]).strip()
    digital = re.fullmatch(r"(\d{9,19})(\.0*)?", first)
    if digital:
        digits = len(digital[1])
        names = {13: "ms", 16: "µs", 19: "ns"}
        return stamps, f"epoch in {names.get(digits, 's')} (told from {digits} digits)"
    if column.dtype == pl.String:
        zoned = bool(re.search(r"(Z|[+-]\d{2}:?\d{2})$", first[10:]))
    else:
        zoned = getattr(column.dtype, "time_zone", None) is not None
    return stamps, "dates with their zone" if zoned else "dates without a zone, taken as UTC"


def _undouble(frame: pl.DataFrame, duplicates: str, path: Path) -> tuple[pl.DataFrame, str]:
    alone = frame.unique(maintain_order=True)
    equal = len(frame) - len(alone)
    doubled = alone.filter(pl.col("timestamp").is_duplicated())
    noted = f"; {equal} equal rows dropped" if equal else ""
    if not len(doubled):
        return alone, noted
    if duplicates not in ("first", "last"):
        raise BarsError(
            f"{path} has {doubled['timestamp'].n_unique()} stamps with rows that differ, the first at "
            f"{doubled['timestamp'][0]}; say which counts, in the file's order: --duplicates first or last."
        )
    kept = alone.unique("timestamp", keep="first" if duplicates == "first" else "last", maintain_order=True)
    return kept, f"{noted}; of {len(alone) - len(kept)} doubled stamps the {duplicates} row kept"


# -- what the name tells --------------------------------------------------------------------


def _timeframe(path: Path, frame: pl.DataFrame, choices: Choices) -> str:
    if choices.series == "funding":
        return ""
    if choices.timeframe:
        timeframe_us(choices.timeframe)
        return choices.timeframe
    stamps = frame["timestamp"].to_physical().to_numpy()
    if len(stamps) >= 2:
        return infer_timeframe(stamps)
    said = next((word for word in _words(path) if _TIMEFRAME.match(word)), "")
    if not said:
        raise BarsError(f"{path} has one row: its timeframe cannot be told; say it: --timeframe 1h.")
    return said.replace("min", "m")


def _words(path: Path) -> list[str]:
    return [word for word in re.split(r"[_\-. ]+", path.name) if word]


def _provider_of(path: Path) -> str:
    upper = [word.upper() for word in _words(path)]
    if upper[:1] == ["BINANCE"] and {"USDM", "PERPETUAL", "UM", "FUTURES"} & set(upper):
        return "BINANCE-PERPETUAL"
    return next((word for word in upper if word in _PROVIDERS), "")


def _symbol_of(path: Path) -> str:
    known = set(_PROVIDERS)
    return next(
        (w for w in _words(path) if re.fullmatch(r"[A-Z0-9]{5,14}", w) and not w.isdigit() and w not in known), ""
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def named(reading: Reading) -> SeriesKey:
    """The key under which a reading is stored.

    Raises
    ------
    SettingsError
        Provider or symbol is unknown, or no name; says which flags give it.
    """
    unknown = [flag for flag, value in (("provider", reading.provider), ("symbol", reading.symbol)) if not value]
    if unknown:
        raise SettingsError(
            f"the file's name does not tell its {' and '.join(unknown)}; "
            f"say it: {' '.join(f'--{flag} …' for flag in unknown)}"
        )
    return SeriesKey(reading.provider, reading.symbol, reading.timeframe, reading.series)
