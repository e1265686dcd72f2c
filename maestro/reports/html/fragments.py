"""Tables and lists of names and values as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from maestro.reports.html.environment import Html, render_macro


class Cell(NamedTuple):
    """One cell of a table: text, or `Html`, with its class (``num``, ``lost``, …) and attributes."""

    text: object
    kind: str = ""
    title: str = ""
    style: str = ""
    tag: str = "td"
    span: int = 1


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Iterable[int] = (),
    kind: str = "",
    caption: str = "",
    group: Sequence[Cell] = (),
) -> Html:
    """Table that scrolls sideways if its place is narrow.

    Parameters
    ----------
    head, rows : text, `Html` or `Cell`
    numeric : positions of columns to align right, besides those with cells of the kind ``num``
    kind : str
        Class of the table.
    caption : str
        Read by screen readers.
    group : sequence of Cell
        A row above the head.
    """
    rows = [list(row) for row in rows]
    right = set(numeric)
    for row in rows:
        if not any(isinstance(value, Cell) and value.span > 1 for value in row):
            right |= {k for k, value in enumerate(row) if isinstance(value, Cell) and "num" in value.kind.split()}

    def cells(row: Iterable[object], tag: str) -> list[Cell]:
        return [
            value if isinstance(value, Cell) else Cell(value, kind="num" if k in right else "", tag=tag)
            for k, value in enumerate(row)
        ]

    return render_macro(
        "fragments.html", "table", cells(head, "th"), [cells(row, "td") for row in rows], kind=kind, caption=caption,
        group=group,
    )  # fmt: skip


def pairs(rows: Iterable[tuple[object, object]]) -> Html:
    """Names and values in two columns."""
    return render_macro("fragments.html", "pairs", list(rows))


def paragraph(text: str, kind: str = "") -> Html:
    """Return a paragraph, of a class if `kind` is given."""
    return render_macro("fragments.html", "paragraph", text, kind)


def note(text: str) -> Html:
    """Return a remark on a table."""
    return paragraph(text, "note")


def empty(text: str) -> Html:
    """Return a sentence in place of something that does not exist."""
    return paragraph(text, "empty")


def code(text: object) -> Html:
    """Text in a fixed-width font."""
    return render_macro("fragments.html", "code", text)


def joined(parts: Iterable[Html]) -> Html:
    """Fragments, one after the other."""
    return Html("").join(parts)
