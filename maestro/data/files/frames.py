"""Convert data of other libraries to polars: pandas with any index, Arrow tables, arrays, mappings, lists of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from maestro.data.files.names import JOINT
from maestro.errors import BarsError

_FAILURES = (pl.exceptions.PolarsError, TypeError, ValueError)


def to_polars(frame: Any) -> pl.DataFrame:
    """Turn a polars, pandas or Arrow table, an array, a mapping, or a list of records or rows into a polars frame.

    Levels of column names are joined into one name (`maestro.data.files.names.parts_of` takes it apart).

    Raises
    ------
    BarsError
        Anything else, or a table that holds one name twice.
    """
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    module = type(frame).__module__
    if module.startswith("pandas") and hasattr(frame, "columns"):
        return _from_pandas(frame)
    try:
        if isinstance(frame, np.ndarray) and frame.dtype.names:
            return pl.DataFrame({name: frame[name] for name in frame.dtype.names})
        if isinstance(frame, np.ndarray) and frame.ndim == 2:
            return pl.DataFrame(frame, orient="row")
        if isinstance(frame, (list, tuple)) and frame and isinstance(frame[0], (list, tuple)):
            return pl.DataFrame([list(row) for row in frame], orient="row", strict=False)
        if isinstance(frame, (dict, list)):
            return pl.DataFrame(frame, strict=False)
        if module.startswith("pyarrow") or hasattr(frame, "__arrow_c_stream__"):
            return pl.DataFrame(pl.from_arrow(frame) if module.startswith("pyarrow") else frame)
    except _FAILURES as error:
        raise BarsError(f"the {type(frame).__name__} cannot be read as a table ({error}); give a frame.") from error
    raise BarsError(f"cannot read a {type(frame).__name__} as bars; give a polars or pandas frame.")


def _from_pandas(frame: Any) -> pl.DataFrame:
    index = frame.index
    named = [name for name in index.names if name is not None]
    if type(index).__name__ != "RangeIndex" and not set(named) & set(frame.columns):
        names = [("index" if index.nlevels == 1 else f"level_{n}") if name is None else name
                 for n, name in enumerate(index.names)]  # fmt: skip
        columns = [index.get_level_values(level) for level in range(index.nlevels)]
        inner = {str(name): column.to_series(index=frame.index) for name, column in zip(names, columns, strict=True)}
    else:
        inner = {}
    own = [JOINT.join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)
           for name in frame.columns]  # fmt: skip
    names = [*inner, *own]
    doubled = [name for place, name in enumerate(names) if name in names[:place]]
    if doubled:
        raise BarsError(f"the frame has column {doubled[0]!r} more than once; keep one of each name.")
    series = [*inner.values(), *(frame.iloc[:, place] for place in range(len(own)))]
    return pl.DataFrame([_pandas_column(name, column) for name, column in zip(names, series, strict=True)])


def _pandas_column(name: str, column: Any) -> pl.Series:
    kind = str(column.dtype)
    if kind.startswith("period"):
        column = column.dt.to_timestamp()
        kind = str(column.dtype)
    if kind.startswith("datetime64"):
        zone = getattr(column.dtype, "tz", None)
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else column
        values = pl.Series(name, utc.to_numpy().astype("datetime64[us]"))
        return values if zone is None else _zoned(values, zone, column)
    if kind.endswith("[pyarrow]"):
        return pl.from_pandas(column).alias(name)
    if kind in ("object", "str", "string", "category"):
        missing = column.isna().tolist()
        texts = [None if empty else str(value) for value, empty in zip(column, missing, strict=True)]
        return pl.Series(name, texts, pl.String)
    if kind[0].isupper() and column.isna().any():  # pandas' nullable numbers, where NA makes an object array
        return pl.Series(name, column.to_numpy(dtype="float64", na_value=float("nan")))
    return pl.Series(name, column.to_numpy())


def _zoned(utc: pl.Series, zone: Any, column: Any) -> pl.Series:
    """Moments in their zone; an offset without a name becomes texts, which keep it."""
    aware = utc.dt.replace_time_zone("UTC")
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or str(zone)
    try:
        return aware.dt.convert_time_zone(name)
    except (pl.exceptions.PolarsError, ValueError):
        texts = column.map(lambda stamp: None if stamp is None or stamp != stamp else stamp.isoformat())
        return pl.Series(utc.name, texts.tolist(), pl.String)
