"""Funding, open interest or basis in a table: timestamps and one column of values."""

from __future__ import annotations

import numpy as np
import polars as pl

from maestro.data.files.columns import choose_stamps, listing
from maestro.data.files.names import optional_of, plain, shown
from maestro.data.files.numbers import looks_like_numbers, style_of, to_numbers
from maestro.data.files.options import ReadOptions, say
from maestro.data.files.rules import Rows
from maestro.data.files.stamps import interpret_timestamps
from maestro.data.files.symbols import choose_symbol, symbol_column
from maestro.data.files.understanding import ROW, Interpretation
from maestro.data.sources.protocol import COLUMNS
from maestro.errors import BarsError, nearest


def interpret_values(table: pl.DataFrame, options: ReadOptions, where: str, first_line: int | None) -> Interpretation:
    """Stamps and values of a series other than bars; rows without a value are left out.

    Raises
    ------
    BarsError
        The column of the values or of the stamps is ambiguous; the message names the option that chooses.
    """
    value = COLUMNS[options.series][0]
    _check_names(table, options, value)
    column, symbol = symbol_column(table), options.symbol
    table = table.with_row_index(ROW)
    if column is not None:
        table, symbol = choose_symbol(table, column, options.symbol, where)
    names = [name for name in table.columns if name not in (ROW, column, *options.columns.values())]
    stamp, _ = choose_stamps(table, names, options)
    if stamp is None:
        raise BarsError(
            f"which column holds the stamps? There are {listing([shown(name) for name in names])}; name it: "
            f"{say('columns', timestamp='NAME')}."
        )
    own = options.columns.get(value) or _value_column(table, [name for name in names if name != stamp], value)
    rows = Rows(table[ROW].to_numpy().astype(np.int64), first_line)
    text = [table[own]] if table[own].dtype == pl.String else []
    numbers = to_numbers(table[own], style_of(text, options.decimal), value, rows)
    stamps = interpret_timestamps(table[stamp], options.unit, options.zone, rows)
    kept = numbers.is_not_null() & ~numbers.is_nan().fill_null(True)
    frame = pl.DataFrame([stamps.utc.alias("timestamp"), numbers.alias(value)]).filter(kept)
    left = [shown(name) for name in names if name not in (stamp, own)]
    columns = f"timestamp ← {shown(stamp)}, {value} ← {shown(own)}" + (f"; left out: {', '.join(left)}" if left else "")
    known = Rows(table[ROW].filter(kept).to_numpy().astype(np.int64), first_line)
    return Interpretation(frame, known, symbol, stamps.notes, {"columns": columns, "stamps": stamps.how}, stamps.local)


def _check_names(table: pl.DataFrame, options: ReadOptions, value: str) -> None:
    for canonical, name in options.columns.items():
        if canonical not in ("timestamp", "time", value):
            raise BarsError(
                f"no column of {options.series} is called {canonical!r}; there are timestamp and {value}."
                + nearest(canonical, ("timestamp", value))
            )
        if name not in table.columns:
            raise BarsError(
                f"there is no column {name!r}; there are {listing([shown(one) for one in table.columns])}."
                + nearest(name, table.columns)
            )


def _value_column(table: pl.DataFrame, names: list[str], value: str) -> str:
    exact = [name for name in names if optional_of(name) == value]
    if exact:
        return exact[0]
    wanted = value.replace("_", "")
    near = [name for name in names if wanted in plain(name) and looks_like_numbers(table[name])]
    rest = near or [name for name in names if looks_like_numbers(table[name])]
    if len(rest) != 1:
        raise BarsError(
            f"which column is {value}? There are {listing([shown(name) for name in rest or names])}; name it: "
            f"{say('columns', **{value: 'NAME'})}."
        )
    return rest[0]
