"""Any usual table of market data into the columns that bars are made of: names, stamps and units understood."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from maestro.data.timeframes import YEAR_US
from maestro.errors import BarsError, nearest

PRICES = ("open", "high", "low", "close")
REQUIRED = ("timestamp", *PRICES, "volume")
OPTIONAL = ("funding_rate", "funding_count", "open_interest", "basis")
_ALIASES = {
    "timestamp": ("timestamp", "ts", "time", "date", "datetime", "dt", "opentime", "unix", "index", "t", "level0"),
    "open": ("open", "o", "openprice", "priceopen"),
    "high": ("high", "h", "highprice", "pricehigh", "max"),
    "low": ("low", "l", "lowprice", "pricelow", "min"),
    "close": ("close", "c", "closeprice", "priceclose", "last"),
    "volume": ("volume", "vol", "v", "basevolume", "volumebase"),
    "funding_rate": ("fundingrate", "funding"),
    "funding_count": ("fundingcount",),
    "open_interest": ("openinterest", "oi", "sumopeninterest"),
    "basis": ("basis",),
}
_EPOCH_UNITS = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))  # below the bound: factor to microseconds


def to_polars(frame: Any) -> pl.DataFrame:
    """Turn a polars, pandas or Arrow table, a mapping or a list of records into a polars frame."""
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    module = type(frame).__module__
    if module.startswith("pandas") and hasattr(frame, "columns"):
        return _from_pandas(frame)
    try:
        if module.startswith("pyarrow"):
            return pl.DataFrame(pl.from_arrow(frame))
        if isinstance(frame, (dict, list)):
            return pl.DataFrame(frame, strict=False)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise BarsError(f"the {type(frame).__name__} cannot be read as a table ({error}); give a frame.") from error
    raise BarsError(f"cannot read a {type(frame).__name__} as bars; give a polars or pandas frame.")


def _from_pandas(frame: Any) -> pl.DataFrame:
    named = [name for name in frame.index.names if name is not None]
    if type(frame.index).__name__ != "RangeIndex" and not set(named) & set(frame.columns):
        frame = frame.reset_index() if named else frame.reset_index(names="index")
    frame = frame.rename(columns=str)
    doubled = frame.columns[frame.columns.duplicated()].tolist()
    if doubled:
        raise BarsError(f"the frame has column {doubled[0]!r} more than once; keep one of each name.")
    return pl.DataFrame({name: _pandas_column(name, frame[name]) for name in frame.columns})


def _pandas_column(name: str, column: Any) -> pl.Series:
    kind = str(column.dtype)
    if kind.startswith("datetime64"):
        zone = getattr(column.dtype, "tz", None)
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else column
        values = pl.Series(name, utc.to_numpy().astype("datetime64[us]"))
        return values.dt.replace_time_zone("UTC") if zone is not None else values
    if kind.endswith("[pyarrow]"):
        return pl.from_pandas(column).alias(name)
    if kind in ("object", "str", "string", "category"):
        missing = column.isna().tolist()
        texts = [None if empty else str(value) for value, empty in zip(column, missing, strict=True)]
        return pl.Series(name, texts, pl.String)
    if kind[0].isupper() and column.isna().any():  # pandas' nullable numbers, where NA makes an object array
        return pl.Series(name, column.to_numpy(dtype="float64", na_value=float("nan")))
    return pl.Series(name, column.to_numpy())


def match_columns(names: list[str]) -> dict[str, str]:
    """Map canonical column names to the frame's own, by the usual spellings.

    Exact lower-case names win over aliases; a single column that starts with ``volume`` counts as volume.

    Raises
    ------
    BarsError
        A required column is missing; the message lists what there is.
    """
    plain = {name: re.sub(r"[^a-z0-9]", "", name.lstrip("\ufeff").lower()) for name in names}
    found: dict[str, str] = {}
    for canonical, aliases in _ALIASES.items():
        for alias in aliases:
            hits = [name for name in names if plain[name] == alias]
            if hits:
                found[canonical] = canonical if canonical in hits else hits[0]
                break
    if "volume" not in found:
        prefixed = [name for name in names if plain[name].startswith(("volume", "vol"))]
        if len(prefixed) == 1:
            found["volume"] = prefixed[0]
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        raise BarsError(
            f"missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"the frame has: {', '.join(names) or 'none'}. Rename them to {', '.join(REQUIRED)}."
        )
    return found


def canonical_frame(frame: Any, symbol: str | None = None) -> pl.DataFrame:
    """Frame with canonical names and types: timestamp Datetime('us', 'UTC') of the bar's open, the rest Float64.

    A frame with a ``symbol`` column of several symbols is cut to `symbol`. Nothing is sorted, filled or dropped.

    Raises
    ------
    BarsError
        A missing column, stamps that cannot be read, text where numbers belong, or several symbols.
    """
    table = to_polars(frame)
    if table.is_empty():
        raise BarsError("the frame is empty; bars need at least one row.")
    table = _one_symbol(table, symbol)
    found = match_columns(table.columns)
    columns = [read_stamps(table[found["timestamp"]]).alias("timestamp")]
    columns += [_numbers(table[found[name]], name) for name in (*REQUIRED[1:], *OPTIONAL) if name in found]
    return pl.DataFrame(columns)


def symbol_column(table: pl.DataFrame) -> str | None:
    """Name of the column that tells the symbols apart, if there is one."""
    return next((name for name in table.columns if name.lower() == "symbol"), None)


def _one_symbol(table: pl.DataFrame, symbol: str | None) -> pl.DataFrame:
    own = symbol_column(table)
    if own is None:
        return table
    symbols = table[own].drop_nulls().unique().sort().to_list()
    if len(symbols) < 2:
        return table
    if symbol in symbols:
        return table.filter(pl.col(own) == symbol)
    shown = ", ".join(map(str, symbols[:12])) + (" …" if len(symbols) > 12 else "")
    raise BarsError(
        f"the frame holds {len(symbols)} symbols ({shown}){'' if symbol is None else f', not {symbol!r}'}; "
        f"pass symbol= to take one of them.{nearest(symbol or '', map(str, symbols))}"
    )


def _numbers(column: pl.Series, name: str) -> pl.Series:
    if column.dtype.is_numeric():
        return (column if column.dtype == pl.Float64 else column.cast(pl.Float64)).alias(name)
    if column.dtype == pl.Null:
        return pl.Series(name, [None] * len(column), dtype=pl.Float64)
    if column.dtype == pl.String:
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
        bad = (numbers.is_null() & column.is_not_null() & (column.str.strip_chars() != "")).arg_true()
        if not len(bad):
            return numbers.alias(name)
        raise BarsError(f"column {name} holds text at row {bad[0]}: {column[int(bad[0])]!r}; give numbers.")
    raise BarsError(f"column {name} has type {column.dtype}; give numbers.")


def read_stamps(column: pl.Series) -> pl.Series:
    """Stamps as Datetime('us', 'UTC'): dates, datetimes (naive is UTC), ISO text, or epoch s, ms, µs, ns.

    The unit of an epoch is told from its size: 10, 13, 16 or 19 digits for any date from 1973 on.

    Raises
    ------
    BarsError
        Nulls, text that is no date, or text that mixes zones.
    """
    if column.null_count():
        row = column.is_null().arg_true()[0]
        raise BarsError(
            f"the timestamp is missing at row {row}; {column.null_count()} in all. Drop or mend these rows."
        )
    kind = column.dtype
    if kind == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(kind, pl.Datetime):
        stamps = column.dt.cast_time_unit("us")
        return stamps.dt.convert_time_zone("UTC") if kind.time_zone else stamps.dt.replace_time_zone("UTC")
    if kind == pl.String:
        if column.str.contains(r"^\s*\d{8,19}(\.0*)?\s*$").all():
            return _read_epoch(column.str.strip_chars().str.replace(r"\.0*$", "").cast(pl.Int64))
        return _read_text(column)
    if kind.is_numeric():
        return _read_epoch(column)
    raise BarsError(f"the timestamp has type {kind}; give dates, ISO text or epoch numbers.")


def _read_epoch(column: pl.Series) -> pl.Series:
    if column.dtype.is_float() and not column.is_finite().all():
        row = int((~column.is_finite()).arg_true()[0])
        raise BarsError(f"the timestamp is {column[row]} at row {row}; give finite epoch numbers.")
    dates = _read_compact_dates(column)
    if dates is not None:
        return dates
    largest = float(column.abs().max() or 0)  # type: ignore[arg-type]
    for bound, factor in _EPOCH_UNITS:
        if largest < bound:
            whole = (
                (column * factor).round().cast(pl.Int64) if column.dtype.is_float() else column.cast(pl.Int64) * factor
            )
            break
    else:
        bound, whole = 10**20, column.cast(pl.Int64) // 1_000
    # A unit that changes on the way puts its rows next to 1970, decades from the others.
    leap = whole.diff().abs().max()
    if leap is not None and leap > 10 * YEAR_US and float(column.abs().min() or 0) < bound / 1000:  # type: ignore
        raise BarsError(
            f"the timestamps mix units: from {column.min()!r} to {column.max()!r}; give all in s, ms, µs or ns."
        )
    return whole.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _read_compact_dates(column: pl.Series) -> pl.Series | None:
    """Dates written as numbers, 20240131; as an epoch they would all lie in 1970."""
    if not column.is_between(19_000_101, 22_001_231).all() or column.dtype.is_float():
        return None
    dates = column.cast(pl.String).str.to_datetime("%Y%m%d", time_unit="us", strict=False)
    return None if dates.null_count() else dates.dt.replace_time_zone("UTC")


_ZONE = r"(?i)\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"


def _read_text(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    dated = text.str.contains(r"[T ]\d{1,2}:")
    zones = text.str.extract(_ZONE).fill_null("").str.to_uppercase().str.replace("^(Z|UTC|GMT)$", "+00:00")
    zones = zones.str.replace(r"^([+-]\d{2}):?(\d{2})?$", "$1:$2").str.replace(":$", ":00")
    zones = pl.select(pl.when(dated).then(zones).otherwise(pl.lit(""))).to_series()
    if zones.n_unique() > 1:
        first = int((zones != zones[0]).arg_true()[0])
        raise BarsError(
            f"the timestamps mix zones: row 0 is {column[0]!r}, row {first} is {column[first]!r}; "
            "give all in one zone, or all naive (taken as UTC)."
        )
    bare = text.str.replace(_ZONE, "") if zones[0] else text
    bare = bare.str.replace(r"^(\d{4})[./](\d{1,2})[./](\d{1,2})", "$1-$2-$3").str.replace("T", " ")
    for form in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        stamps = bare.str.to_datetime(form, time_unit="us", strict=False)
        if stamps.null_count() == 0:
            break
    else:
        stamps = bare.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        row = int(stamps.is_null().arg_true()[0])
        raise BarsError(
            f"the timestamp {column[row]!r} at row {row} is not understood; give ISO dates (2024-01-31 16:00)."
        )
    if zones[0]:
        sign = -1 if zones[0][0] == "-" else 1
        minutes = sign * (int(zones[0][1:3]) * 60 + int(zones[0][4:6]))
        stamps = stamps.dt.offset_by(f"{-minutes}m")
    return stamps.dt.replace_time_zone("UTC")
