"""HTML of results in notebooks. Text is escaped here and nowhere else, so no name or message becomes markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

__all__ = ["LEFT", "RIGHT", "Markup", "html", "joined", "notes_list", "outcome_cell", "table"]

RIGHT = "text-align:right"
LEFT = "text-align:left"


def html(template: str, *values: object, **named: object) -> Markup:
    """Fill a template as `str.format` does; values are escaped unless they are `Markup`."""
    return Markup(template).format(*values, **named)


def joined(template: str, values: Iterable[object]) -> Markup:
    """Fill a template once for each value and join the results."""
    return Markup("").join(html(template, value) for value in values)


def notes_list(notes: Iterable[object]) -> Markup:
    """Return notes as a list, or nothing where there are none."""
    items = joined("<li>{}</li>", notes)
    return html("<ul>{}</ul>", items) if items else items


def table(head: Sequence[object], rows: Iterable[Iterable[object]], styles: Sequence[str] = ()) -> Markup:
    """Return a table.

    Parameters
    ----------
    head : sequence
        Titles of the columns; empty for a table without a head.
    rows : iterable of iterables
        Cells; a `Markup` that begins with ``<td`` is a whole cell.
    styles : sequence of str
        CSS of each column, for its title too; columns beyond them have none.
    """
    titles = Markup("").join(_cell("th", title, i, styles) for i, title in enumerate(head))
    body = Markup("").join(
        html("<tr>{}</tr>", Markup("").join(_cell("td", value, i, styles) for i, value in enumerate(row)))
        for row in rows
    )
    top = html("<thead><tr>{}</tr></thead>", titles) if titles else titles
    return html("<table>{}<tbody>{}</tbody></table>", top, body)


def _cell(tag: str, value: object, position: int, styles: Sequence[str]) -> Markup:
    if isinstance(value, Markup) and value.startswith("<td"):
        return value
    style = styles[position] if position < len(styles) else ""
    return html('<{0} style="{1}">{2}</{0}>' if style else "<{0}>{2}</{0}>", tag, style, value)


def outcome_cell(passed: bool | None, text: str) -> Markup:
    """Return a table cell in the colour of a check that passed, failed or was not made."""
    colour = {True: "#1a7f37", False: "#c62828", None: "inherit"}[passed]
    return html("<td style='color:{};white-space:nowrap'>{}</td>", colour, text)
