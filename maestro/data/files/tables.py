"""Read a data file of any common format as a table, before its columns are interpreted."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from maestro.data.files.columns import listing
from maestro.data.files.dialects import LOOKED_AT, SEPARATORS, Dialect, as_utf8, sniff, too_long
from maestro.data.files.documents import table_of_json
from maestro.data.files.limits import check_rows, check_size, file_limits
from maestro.data.files.unpacking import Content, read_content
from maestro.errors import BarsError

_LOOKED_AT = 200  # rows of a text file whose cells say what type a column has
_PLAIN = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"

_DAMAGED = (
    pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, TypeError, ValueError, OverflowError, MemoryError,
    zipfile.BadZipFile,
)  # fmt: skip
"""What readers of binary formats raise on flipped bits."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file.

    Attributes
    ----------
    frame : polars frame
    form : str, format of the file in words
    name : str, of the data itself: in an archive, of its file
    header : bool, the names of the columns come from the file
    separator : str, between the cells of a text file
    first_line : int or None, line of the first row in a text file, where every line is a row
    notes : tuple of str, what was left out
    """

    frame: pl.DataFrame
    form: str
    name: str
    header: bool = True
    separator: str = ","
    first_line: int | None = None
    notes: tuple[str, ...] = field(default=())


def read_table(path: Path, member: str = "") -> Table:
    """Read a file: text with any separator, Parquet, Feather, JSON or Excel, packed or not.

    Parameters
    ----------
    path : Path
    member : str
        Which file of an archive, or which sheet of a workbook.

    Raises
    ------
    BarsError
        A damaged or empty file, an archive or workbook of several where `member` names none, or a format that is not
        read.
    """
    content = read_content(path, member)
    head = content.data[:8]
    try:
        if head[:4] == b"PAR1":
            _check_rows(pl.scan_parquet(io.BytesIO(content.data)), path)
            frame = pl.read_parquet(io.BytesIO(content.data))
            return Table(frame, f"{content.packing}Parquet", content.name)
        if head[:6] == b"ARROW1" or head[:4] == b"FEA1":
            _check_rows(pl.scan_ipc(io.BytesIO(content.data)), path)
            frame = pl.read_ipc(io.BytesIO(content.data))
            return Table(frame, f"{content.packing}Feather", content.name)
        if head[:4] == b"\xff\xff\xff\xff":
            frame = pl.read_ipc_stream(io.BytesIO(content.data), n_rows=file_limits().rows + 1)
            check_rows(frame.height, frame.width, path)
            return Table(frame, f"{content.packing}Arrow stream", content.name)
        if content.workbook:
            with zipfile.ZipFile(io.BytesIO(content.data)) as packed:
                check_size(sum(one.file_size for one in packed.infolist()), path)
            return _of_workbook(content, path, member)
    except BarsError:
        raise
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BarsError(f"{path} cannot be read ({reason}); is the file complete?") from None
    if path.suffix.lower() in (".parquet", ".pq", ".feather"):
        raise BarsError(f"{path} cannot be read: it does not begin like a {path.suffix[1:]} file; is it complete?")
    return _of_text(content, path)


def _check_rows(frame: pl.LazyFrame, path: Path) -> None:
    """Refuse a table by what its footer says, before a column is read."""
    check_rows(frame.select(pl.len()).collect().item(), len(frame.collect_schema()), path)


def _of_text(content: Content, path: Path) -> Table:
    data, encoding = as_utf8(content.data)
    if data.lstrip()[:1] in (b"[", b"{"):
        frame, header = table_of_json(data.decode(), path)
        return Table(frame, f"{content.packing}JSON", content.name, header)
    head = data[:LOOKED_AT].decode(errors="ignore")
    if sum(head.count(sign) for sign in "\x00\x01\x02\x03\ufffd") > 3:
        raise BarsError(f"{path} is not text, Parquet, Feather, JSON or Excel; give one of these.")
    if "\n" not in head and "\r" in head:
        data = data.replace(b"\r", b"\n")
        head = head.replace("\r", "\n")
    dialect = sniff(head, path, whole=len(data) <= LOOKED_AT)
    frame, notes = _rows_of(data, dialect, path)
    words = ["text" if dialect.separator == " " else "CSV", f"{SEPARATORS[dialect.separator]}-separated"]
    words += [encoding] if encoding else []
    words += ["with a header" if dialect.header else "without a header"]
    above = dialect.above
    if above:
        words += [f"{above} line{'s' * (above > 1)} above {'the header' if dialect.header else 'the rows'} skipped"]
    first = None if dialect.comments else dialect.first + 1
    return Table(
        frame, content.packing + ", ".join(words), content.name, dialect.header, dialect.separator, first, notes
    )


def _rows_of(data: bytes, dialect: Dialect, path: Path) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Rows of a text: numbers at once where every cell is a plain number, else all cells as text."""
    if dialect.separator == " ":
        data = re.sub(rb"(?m)^ +| +$", b"", re.sub(rb"[ \t]+", b" ", data))
    names = [f"{place}" for place in range(len(dialect.names))]
    text: dict[str, Any] = dict.fromkeys(names, pl.String)
    try:
        sample = _parsed(data, dialect, text, n_rows=_LOOKED_AT)
        commas = any(sample[name].str.contains(r"^\s*[-+$€£]?[\d.\s']*,\d").any() for name in names)
        typed = text if commas else {name: _type_of(sample[name]) for name in names}
        frame = _parsed(data, dialect, typed)
    except pl.exceptions.PolarsError:  # a cell further below is not a plain number
        frame = _texts(data, dialect, text, path)
    return _tidied(frame.rename(dict(zip(names, dialect.names, strict=True))), dialect)


def _parsed(data: bytes, dialect: Dialect, schema: dict[str, Any], n_rows: int | None = None) -> pl.DataFrame:
    return pl.read_csv(
        data, separator=dialect.separator, has_header=False, schema=schema, n_rows=n_rows, skip_lines=dialect.first,
        comment_prefix="#" if dialect.comments else None,
    )  # fmt: skip


def _texts(data: bytes, dialect: Dialect, schema: dict[str, Any], path: Path) -> pl.DataFrame:
    """Rows with all cells as text; Python's reader takes what polars refuses: a quote after a space, longer lines."""
    try:
        return _parsed(data, dialect, schema)
    except pl.exceptions.PolarsError:
        width, rows = len(dialect.names), []
        lines = io.StringIO(data.decode())
        for number, row in enumerate(csv.reader(lines, delimiter=dialect.separator, skipinitialspace=True), 1):
            if number <= dialect.first or (dialect.comments and row and row[0].lstrip().startswith("#")):
                continue
            if any(row[width:]):
                raise BarsError(too_long(path, number, len(row), width, dialect.separator.join(row))) from None
            rows.append([cell or None for cell in row[:width]] + [None] * (width - len(row)))
        return pl.DataFrame(rows, schema=schema, orient="row")


def _type_of(column: pl.Series) -> Any:
    """Type of the cells of a column: whole numbers of 8 digits and more stay whole, for they may be stamps."""
    filled = column.drop_nulls()
    if not len(filled) or not filled.str.contains(_PLAIN).all():
        return pl.String
    if filled.str.contains(r"^-?\d{8,18}$").all():
        return pl.Int64
    leading = filled.str.contains(r"^0\d").any()  # 000500 is a time of day, not 500
    return pl.String if leading else pl.Float64


def _tidied(frame: pl.DataFrame, dialect: Dialect) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Rows without header lines between them and columns that have neither name nor value."""
    notes: tuple[str, ...] = ()
    if dialect.header:
        text = [name for name in frame.columns if frame[name].dtype == pl.String]
        same = [pl.col(name).str.strip_chars().str.strip_chars("<>") == name for name in text if name]
        again = frame.select(pl.all_horizontal(same)).to_series() if len(same) == frame.width else None
        if again is not None and again.any():
            count = int(again.sum())
            notes = (f"the header comes again in {count} row{'s' * (count > 1)}, which are left out",)
            frame = frame.filter(~again.fill_null(False))
    empty = [name for name in frame.columns if not name.split(" (")[0] and frame[name].null_count() == len(frame)]
    return frame.drop(empty), notes


def _of_workbook(content: Content, path: Path, member: str) -> Table:
    """The sheet of an Excel workbook that holds rows of data; its cells as text."""
    from maestro.data.files.workbooks import sheets_of

    sheets = sheets_of(content.data, path)
    if member and member not in sheets:
        raise BarsError(f"{path} has no sheet {member!r}; it has {listing(list(sheets))}.")
    chosen = {member: sheets[member]} if member else sheets
    if len(chosen) > 1:
        raise BarsError(
            f"{path} has {len(chosen)} sheets with rows ({listing(list(chosen))}); give one of them as "
            f"{path.name}#{next(iter(chosen))}."
        )
    if not chosen:
        raise BarsError(f"{path} has no sheet with rows.")
    ((name, text),) = chosen.items()
    dialect = sniff(text[:LOOKED_AT], path, whole=len(text) <= LOOKED_AT)
    frame, notes = _rows_of(text.encode(), dialect, path)
    return Table(frame, f"Excel, sheet {name}", path.name, dialect.header, "\t", dialect.first + 1, notes)
