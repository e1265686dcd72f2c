"""A CSV, zip or Parquet file as a table, whatever its separator, header and decimal sign."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from pathlib import Path

import polars as pl

from maestro.errors import BarsError

_KLINES = ("timestamp", "open", "high", "low", "close", "volume")  # a file without a header: Binance's order
_SEPARATORS = {";": "semicolon", "\t": "tab", "|": "bar", ",": "comma"}
_LOOKED_AT = 20_000  # characters


def read_table(path: Path) -> tuple[pl.DataFrame, str]:
    """Read a file as a table (the columns of a CSV are text), and say its form in words.

    Raises
    ------
    BarsError
        A torn or empty file, or a zip of other than one CSV.
    """
    suffixes = "".join(path.suffixes).lower()
    try:
        if suffixes.endswith((".parquet", ".pq")):
            return pl.read_parquet(path), "Parquet"
        if suffixes.endswith(".zip"):
            with zipfile.ZipFile(path) as packed:
                names = [name for name in packed.namelist() if name.lower().endswith((".csv", ".txt"))]
                if len(names) != 1:
                    raise BarsError(f"{path} holds {len(names)} CSV files; give a zip of one.")
                return _read_csv(packed.read(names[0]), path, f"zip of {names[0]}, ")
        content = path.read_bytes()
        return _read_csv(gzip.decompress(content) if suffixes.endswith(".gz") else content, path, "")
    except (pl.exceptions.PolarsError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise BarsError(f"{path} cannot be read ({str(error).splitlines()[0]}); is it whole?") from None


def _read_csv(content: bytes, path: Path, around: str) -> tuple[pl.DataFrame, str]:
    text = content.decode("utf-8-sig")
    if text.lstrip()[:1] in ("[", "{"):
        raise BarsError(f"{path} looks like JSON; give a CSV, Parquet or zip file.")
    lines = [line for line in text[:_LOOKED_AT].splitlines() if line.strip()]
    if not lines:
        raise BarsError(f"{path} is empty.")
    # A comma may also be the decimal sign: it separates only where no other sign stands equally often in every line.
    last = lines[len(lines) // 2 :][-11 : None if len(text) < _LOOKED_AT else -1]
    counts = {sign: {line.count(sign) for line in last} for sign in _SEPARATORS}
    separator = next((sign for sign, found in counts.items() if len(found) == 1 and 0 not in found), ",")
    width = last[-1].count(separator)
    skipped = next((n for n, line in enumerate(lines) if line.count(separator) >= max(width, 1)), 0)
    first = [cell.strip().strip('"') for cell in lines[skipped].split(separator)]
    header = not all(re.fullmatch(r"[-+0-9.,eE:TZ /]*", cell) for cell in first)
    body = "\n".join([line for line in text.splitlines() if line.strip()][skipped:])
    table = pl.read_csv(
        io.StringIO(body), separator=separator, has_header=header, infer_schema=False, truncate_ragged_lines=True
    )
    table = table.rename({name: name.strip().strip("<>") for name in table.columns})
    if not header:
        if len(table.columns) < len(_KLINES):
            raise BarsError(f"{path} has no header and {len(table.columns)} columns; it needs {', '.join(_KLINES)}.")
        table = table.rename(dict(zip(table.columns, _KLINES, strict=False)))
    if separator != ",":
        decimal = pl.all().str.replace(r"^\s*(-?\d+),(\d+)\s*$", "$1.$2")
        table = table.with_columns(decimal)
    noted = f", {skipped} lines above the header skipped" if skipped else ""
    head = "with a header" if header else "without a header (taken as time, open, high, low, close, volume)"
    return table, f"{around}CSV, {_SEPARATORS[separator]}-separated, {head}{noted}"
