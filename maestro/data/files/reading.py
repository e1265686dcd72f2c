"""A CSV or Parquet file as the rows of one symbol, oldest first."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from maestro.data.files.frames import match_columns, read_stamps, symbol_column
from maestro.data.files.tables import read_table
from maestro.errors import BarsError, nearest


def file_frame(path: Path, symbol: str | None = None) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Rows of one symbol in a file, its name, and what was done on the way.

    A file stored strictly newest first is turned round, and said so; any other order stays as it is, for
    `Bars.from_frame` to refuse.

    Parameters
    ----------
    path : Path
        A CSV (also .gz or .zip) or Parquet file.
    symbol : str, optional
        Which one, where the file holds several.

    Raises
    ------
    BarsError
        No such file, one that cannot be read, or a symbol that is not in it.
    """
    if not path.is_file():
        raise BarsError(f"there is no file {path}{_neighbour(path)}.")
    table, _ = read_table(path)
    if table.is_empty():
        raise BarsError(f"{path} has no row; bars need at least one.")
    own = symbol_column(table)
    if own is not None:
        symbols = sorted(str(one) for one in table[own].drop_nulls().unique())
        if symbol is None and len(symbols) > 1:
            shown = ", ".join(symbols[:12]) + (" …" if len(symbols) > 12 else "")
            raise BarsError(
                f"{path} holds {len(symbols)} symbols ({shown}); pass symbol=, or write {path}#{symbols[0]}."
            )
        if symbol is not None and symbol not in symbols:
            raise BarsError(f"{path} has no symbol {symbol!r}; it has {', '.join(symbols)}.{nearest(symbol, symbols)}")
        symbol = symbol or symbols[0]
        table = table.filter(pl.col(own).cast(pl.String) == symbol)
    steps = read_stamps(table[match_columns(table.columns)["timestamp"]]).to_physical().diff().drop_nulls()
    notes: tuple[str, ...] = ()
    if len(steps) and bool((steps < 0).all()):
        table = table.reverse()
        notes = (f"{path.name} is stored newest first; its rows were turned round",)
    return table, symbol or path.name.split(".")[0], notes


def _neighbour(path: Path) -> str:
    """Return the closest file name in the same folder, as a question."""
    if not path.parent.is_dir():
        return f" (nor a folder {path.parent})"
    return nearest(path.name, [other.name for other in path.parent.iterdir() if other.is_file()]).rstrip("?")
