"""Bokeh figures embedded in a page that needs no network, and the colours of the page around them."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup

from maestro.reports.figures.theme import DARK, LIGHT, swaps
from maestro.reports.html.environment import stylesheet


def page_parts(*sheets: str, figures: dict[str, Any] | None = None, scripts: tuple[str, ...] = ()) -> dict[str, Markup]:
    """Return what ``page.html`` needs of a page with figures.

    Parameters
    ----------
    *sheets : str
        Style sheets in addition to those of every page.
    figures : dict, optional
        Figures by the name of their place: ``equity`` is drawn in the element ``fig-equity``.
    scripts : tuple of str
        Scripts in addition to that of every page.
    """
    documents, items = embed(figures or {})
    return frame(documents, items, *sheets, bokeh=bool(figures), scripts=scripts)


def frame(
    documents: Markup, items: Markup, *sheets: str, bokeh: bool, scripts: tuple[str, ...] = ()
) -> dict[str, Markup]:
    """Return what ``page.html`` needs of a page whose figures are JSON already; otherwise as `page_parts`."""
    return {
        "style": Markup("\n").join((palette(), stylesheet("tables.css", "report.css", *sheets))),
        "swaps": Markup(json.dumps(swaps())),
        "documents": documents,
        "items": items,
        "bokeh": bokeh_script() if bokeh else Markup(""),
        "script": stylesheet("report.js", *scripts),
    }


def palette() -> Markup:
    """Custom properties of the colours, light and dark, for a style sheet."""

    def block(colours: dict[str, str]) -> str:
        return "".join(f"--{role}:{colour};" for role, colour in colours.items())

    dark = block(DARK)
    return Markup(
        f":root{{{block(LIGHT)}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
        f"@media print{{:root:root{{{block(LIGHT)}}}}}"
    )


def bokeh_script() -> Markup:
    """Bokeh's own script, whole."""
    from bokeh.resources import Resources

    return Markup("\n".join(Resources(mode="inline", components=["bokeh"]).js_raw))


def embed(figures: dict[str, Any]) -> tuple[Markup, Markup]:
    """Figures as one JSON document, and the places of its roots; the same text for the same figures."""
    if not figures:
        return Markup("{}"), Markup("[]")
    from bokeh.document import Document

    document = Document()
    for figure in figures.values():
        document.add_root(figure)
    described: dict[str, Any] = {**document.to_json(deferred=False)}
    described.pop("defs", None)  # of every extension that happens to be loaded, and none is used
    text = json.dumps(described, separators=(",", ":"))
    # Bokeh numbers models through the life of a process; a page numbers its own.
    ids = dict.fromkeys(re.findall(r'"id":"(p\d+)"', text))
    fresh = {old: f"m{i}" for i, old in enumerate(ids)}
    text = re.sub(r'"(p\d+)"', lambda m: f'"{fresh.get(m[1], m[1])}"', text)
    roots = {fresh[figure.id]: f"fig-{name}" for name, figure in figures.items()}
    items = [{"docid": "report", "roots": roots, "root_ids": list(roots)}]
    return in_script(f'{{"report":{text}}}'), in_script(json.dumps(items))


def in_script(text: str) -> Markup:
    """JSON text that is safe inside a ``script`` element."""
    return Markup(text.replace("<", "\\u003c"))
