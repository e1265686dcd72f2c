"""Tables and fragments as HTML, escaped, for the report and for notebooks alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files

TEMPLATES = files("maestro.reports") / "templates"


class Html(str):
    """HTML text that notebooks and templates show as it is; all text from outside in it is escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<style>{stylesheet('tables.css')}</style><div class='mst'>{self}</div>"


@cache
def stylesheet(name: str) -> str:
    """Text of a style sheet that comes with the package."""
    return (TEMPLATES / name).read_text("utf-8")


def cell(text: object, *, kind: str = "", title: str = "", style: str = "", tag: str = "td") -> Html:
    """One table cell; text is escaped unless it is `Html`; `kind` is a class (``num``, ``bad``, …)."""
    inner = text if isinstance(text, Html) else escape(str(text))
    attributes = "".join(
        f' {name}="{escape(value)}"' for name, value in (("class", kind), ("title", title), ("style", style)) if value
    )
    return Html(f"<{tag}{attributes}>{inner}</{tag}>")


def table(
    head: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Iterable[int] = (),
    kind: str = "",
    caption: str = "",
    group: Html | None = None,
) -> Html:
    """Table that scrolls sideways where the place is narrow.

    Parameters
    ----------
    head, rows : text (escaped) or `Html`; a cell made by `cell` stands as it is
    numeric : positions of columns to set flush right
    kind : str
        Class of the table.
    caption : str
        Read by screen readers.
    group : Html, optional
        A row above the head.
    """
    right = set(numeric)

    def dressed(position: int, value: object, tag: str) -> str:
        if isinstance(value, Html) and value.startswith(("<td", "<th")):
            return str(value)
        return cell(value, kind="num" if position in right else "", tag=tag)

    head_cells = "".join(dressed(i, h, "th") for i, h in enumerate(head))
    body = "".join(f"<tr>{''.join(dressed(i, v, 'td') for i, v in enumerate(row))}</tr>" for row in rows)
    named = f"<caption class='hidden'>{escape(caption)}</caption>" if caption else ""
    thead = f"<thead>{group or ''}<tr>{head_cells}</tr></thead>" if head else ""
    css = f" class='{escape(kind)}'" if kind else ""
    return Html(f"<div class='scroll' tabindex='0'><table{css}>{named}{thead}<tbody>{body}</tbody></table></div>")


def pairs(rows: Iterable[tuple[object, object]]) -> Html:
    """Names and values in two columns."""
    inner = "".join(
        f"<dt>{name if isinstance(name, Html) else escape(str(name))}</dt>"
        f"<dd>{value if isinstance(value, Html) else escape(str(value))}</dd>"
        for name, value in rows
    )
    return Html(f"<dl class='pairs'>{inner}</dl>")
