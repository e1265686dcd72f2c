"""Printed results: tables and notes for people, one JSON document for programs."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from maestro._core import formatting as formats
from maestro._core.json import dumps

if TYPE_CHECKING:
    from maestro.bars import Bars

_SHORT = {
    "sharpe_ratio": "Sharpe", "sortino_ratio": "Sortino", "calmar_ratio": "Calmar", "total_return": "return",
    "annual_return": "a year", "max_drawdown": "drawdown", "num_trades": "trades",
}  # fmt: skip


_TEXT = 12
"""Characters that a column of text keeps at least; it is broken at its words."""


def print_json(document: Any) -> None:
    """Print one JSON document."""
    typer.echo(dumps(document, indent=2))


def describe_bars(bars: Bars) -> dict[str, Any]:
    """The identity of bars, for a program."""
    return {
        "name": bars.name,
        "provider": bars.provider,
        "symbol": bars.symbol,
        "timeframe": bars.timeframe,
        "n": len(bars),
        "start": bars.start,
        "end": bars.end,
        "periods_per_year": bars.periods_per_year,
        "calendar": bars.calendar.text,
        "fingerprint": bars.fingerprint,
        "synthetic": bars.synthetic,
        "notes": bars.notes,
    }


def bars_line(bars: Bars) -> str:
    """The bars in one line: name, number, range."""
    made = ", synthetic" if bars.synthetic else ""
    return (
        f"{bars.name or 'bars'}: {len(bars):,} bars, {formats.moment(bars.start)} to {formats.moment(bars.end)}{made}"
    )


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> None:
    """Table as wide as its content allows; the first `left` columns hold text, the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = [list(row) for row in rows]
    for i, heading in enumerate(headings):
        whole = i == 0 or i >= left  # names and numbers are not broken, text between them is
        justify: Any = "left" if i < left else "right"
        least = max(map(len, (heading, *(row[i] for row in cells)))) if whole else _TEXT
        table.add_column(Text(heading), justify=justify, no_wrap=whole, overflow="fold", min_width=least)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    # A figure is never cropped: where the terminal is too narrow the lines are longer than it.
    wide = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    Console(highlight=False, width=max(console.width, wide)).print(table)


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Table without styles, as wide as its content: a number cut to the terminal's width would be another number."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join([first.strip().ljust(widths[0]), *rest]))


def styled(line: Any) -> None:
    """Print a line of styled text (`rich.text.Text`)."""
    from rich.console import Console

    Console(highlight=False).print(line)


def columns() -> int:
    """Width of the terminal [characters]; 80 where there is none."""
    return max(shutil.get_terminal_size().columns, 40)


def short(name: str) -> str:
    """Heading of a metric for a narrow table."""
    return _SHORT.get(name) or formats.label(name)


def say(text: str, *, bullet: str = "") -> None:
    """Print a line, wrapped at the terminal's width, the rest hanging under its beginning."""
    typer.echo(textwrap.fill(f"{bullet}{text}", columns(), subsequent_indent=" " * len(bullet), break_long_words=False))


def show_notes(notes: Iterable[str]) -> None:
    """Say what a reader must know, each once."""
    for note in dict.fromkeys(notes):
        say(note, bullet="• ")


def table_writer(path: Path | None, columns: Sequence[str]) -> Callable[[Any], None]:
    """Return a function that writes a polars frame to `path`; None is nowhere.

    Parameters
    ----------
    path : Path, optional
        The ending decides on the format: ``.csv``, ``.parquet`` or ``.pq``. The file appears whole or not at all.
    columns : sequence of str
        Columns by which an earlier table of the same kind is recognised: no other file is replaced.

    Raises
    ------
    SettingsError
        The ending is another one; raised before the work is done.
    RunError
        Another file exists there, also raised before the work is done, or the file cannot be written.
    """
    from maestro._core.parquet import parquet_bytes
    from maestro.errors import SettingsError
    from maestro.reports.output import refuse_foreign, write_bytes

    if path is None:
        return lambda table: None
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet", ".pq"):
        raise SettingsError(f"{path} has another ending than .csv or .parquet; choose one of them.")

    def ours(head: bytes) -> bool:
        return set(columns) <= set(_columns_of(path, head, ending))

    refuse_foreign(path, ours, f"an earlier table with the columns {', '.join(columns)}")

    def write(table: Any) -> None:
        write_bytes(path, table.write_csv().encode() if ending == ".csv" else parquet_bytes(table))

    return write


def _columns_of(path: Path, head: bytes, ending: str) -> list[str]:
    """Columns of a table on disk; none if it is not one."""
    if ending == ".csv":
        return head.decode("utf-8", "replace").partition("\n")[0].strip().replace('"', "").split(",")
    import polars as pl

    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError):
        return []
