"""Several symbols in one table: find the column that identifies them, by its name and content."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from maestro.data.files.columns import listing
from maestro.data.files.names import plain
from maestro.data.files.options import say
from maestro.data.files.vocabulary import SYMBOLS
from maestro.errors import BarsError, nearest

_ROLLING = ("contract", "instrumentid")  # may change on the way of one series


def symbol_column(table: pl.DataFrame) -> str | None:
    """Name of the column that is called after symbols; of several, one that has more than one value."""
    found = [
        (int(table[name].n_unique() < 2), SYMBOLS[plain(name)], place, name)
        for place, name in enumerate(table.columns)
        if plain(name) in SYMBOLS and _may_name(table[name])
    ]
    return min(found)[-1] if found else None


def symbols_in(column: pl.Series) -> list[str]:
    """Different symbols of a column, as texts."""
    return sorted(as_names(column.drop_nulls().unique()).to_list())


def as_names(column: pl.Series) -> pl.Series:
    """Values of a column as texts; whole numbers without a point."""
    return (column.cast(pl.Int64) if column.dtype.is_float() else column).cast(pl.String)


def column_holding(table: pl.DataFrame, symbol: str, taken: Collection[str]) -> str | None:
    """Column of names that has a symbol among its values, whatever it is called; None where there is none."""
    for name in table.columns:
        column = table[name]
        if name in taken or not _may_name(column) or column.n_unique() > max(2, len(column) / 3):
            continue
        if (as_names(column) == symbol).any():
            return name
    return None


def separating_column(table: pl.DataFrame, stamps: pl.Series, taken: Collection[str]) -> str | None:
    """Column whose values tell rows with equal stamps apart, whatever its name; None where there is none."""
    n = len(table)
    if stamps.n_unique() == n:
        return None
    doubled = int(stamps.is_duplicated().sum())
    found = []
    for name in table.columns:
        column = table[name]
        if name in taken or not _may_name(column):
            continue
        text = not column.dtype.is_numeric()
        count = column.n_unique()
        if not 2 <= count <= n / (3 if text else 10) or (not text and doubled * 2 < n):
            continue
        if pl.DataFrame({"at": stamps, "of": column}).n_unique() == n:
            found.append((not text, count, name))
    return min(found)[-1] if found else None


def choose_symbol(table: pl.DataFrame, column: str, symbol: str, where: str) -> tuple[pl.DataFrame, str]:
    """Rows of one symbol, and its name as the column has it.

    Parameters
    ----------
    where : str
        What holds the symbols, for a message: ``"prices.csv"``.

    Raises
    ------
    BarsError
        Several symbols and none is chosen, or one that is not there.
    """
    symbols = symbols_in(table[column])
    if len(symbols) < 2 and not symbol:
        return table, symbols[0] if symbols else ""
    if symbol in symbols:
        chosen = symbol
    else:
        alike = [one for one in symbols if one.lower() == symbol.lower()] if symbol else []
        if len(alike) != 1:
            raise BarsError(several(where, column, symbols, symbol))
        chosen = alike[0]
    if len(symbols) == 1:
        return table, chosen
    return table.filter(as_names(table[column]) == chosen), chosen


def several(where: str, column: str, symbols: list[str], symbol: str = "") -> str:
    """Message that lists the symbols and says how to choose."""
    if symbol:
        return f"{where} has no symbol {symbol!r}; it has {listing(symbols)}.{nearest(symbol, symbols)}"
    what = "series" if column and plain(column) not in SYMBOLS else "symbols"
    named = f" in column {column}" if column else ""
    return f"{where} holds {len(symbols)} {what}{named} ({listing(symbols)}); choose one: {say('symbol', symbols[0])}."


def is_one_series(table: pl.DataFrame, column: str, stamps: pl.Series) -> bool:
    """Whether contracts follow each other in one series: no stamp is there twice, and each contract is one stretch."""
    if plain(column) not in _ROLLING or stamps.n_unique() < len(stamps):
        return False
    return int((table[column] != table[column].shift()).sum()) + 1 == table[column].n_unique()


def _may_name(column: pl.Series) -> bool:
    kind = column.dtype
    if kind.is_float():
        return column.null_count() < len(column) and bool((column.drop_nulls() % 1 == 0).all())
    return kind in (pl.String, pl.Categorical) or isinstance(kind, pl.Enum) or kind.is_integer()
