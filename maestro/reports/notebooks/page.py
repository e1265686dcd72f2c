"""An executed notebook as one static HTML file: prose, tables and every figure, without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from maestro.errors import MissingExtraError
from maestro._core.formatting import number
from maestro.reports.html.embedding import frame, in_script
from maestro.reports.html.environment import Html, render_page
from maestro.reports.notebooks.display import FIGURE, HEADLINE
from maestro.reports.notebooks.widgets import static_outputs

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from maestro.reports.notebooks.running import Execution, NotebookParameter

_FIGURE = re.compile(
    rf'<div id="(?P<place>fig-\w+)"[^>]*></div><script type="application/json" class="{FIGURE}" '
    r'data-at="(?P=place)" data-root="(?P<root>\w+)">(?P<document>.*?)</script><script>.*?</script>',
    re.S,
)
_LIBRARY = re.compile(r"<script data-maestro='library'>.*?</script>", re.S)
_ASIDE = ("parameters", "injected-parameters", "papermill-error-cell-tag", "hide-in-report")
"""Tags of cells that the page does not show: the parameters stand in a table of their own."""


def notebook_page(
    execution: Execution, declared: Mapping[str, NotebookParameter], *, name: str = "", code: bool = True
) -> str:
    """HTML text of an executed notebook.

    Parameters
    ----------
    execution : Execution
    declared : parameters of the notebook, with their defaults
    name : str
        Of the notebook, for the page's head.
    code : bool
        Whether code is in the page, behind a button; without it there is none.

    Raises
    ------
    MissingExtraError
        nbconvert is not installed.
    """
    title, body, documents, items = _body(execution.notebook, code)
    given = execution.parameters
    parameters = [
        (key, _literal(given.get(key, p.default)), key in given and given[key] != p.default, p.doc)
        for key, p in declared.items()
    ]
    figures = frame(
        in_script(f"{{{','.join(documents)}}}"), in_script(json.dumps(items)), "notebook.css", bokeh=bool(items)
    )
    figures["style"] += _code_colours()
    return render_page(
        "notebook.html", **figures, title=title or name, name=name, error=execution.error, body=Html(body),
        parameters=parameters, seconds=number(execution.seconds, 1), code=code,
    )  # fmt: skip


def headline_of_notebook(notebook: NotebookNode) -> dict[str, Any]:
    """Key figures that a notebook's cells handed over by `headline` in their order."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found |= dict(output.get("data", {}).get(HEADLINE, []))
    return found


def _body(notebook: NotebookNode, code: bool) -> tuple[str, str, list[str], list[dict[str, Any]]]:
    """Title, HTML of the cells, the figures' documents, and where these go."""
    try:
        from nbconvert import exporters
        from traitlets.config import Config
    except ImportError as error:
        raise MissingExtraError("nbconvert", "jupyter") from error
    import copy

    notebook = copy.deepcopy(notebook)
    widgets = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    notebook.metadata.pop("widgets", None)
    notebook.cells = [c for c in notebook.cells if not set(_ASIDE) & set(c.metadata.get("tags", []))]
    documents: list[str] = []
    items: list[dict[str, Any]] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = static_outputs(cell.outputs, widgets)
            for output in cell.outputs:
                _lift_figures(output, documents, items)
    title = _take_title(notebook)
    config = Config({"HTMLExporter": {
        "template_name": "basic", "exclude_input": not code, "exclude_input_prompt": True,
        "exclude_output_prompt": True, "exclude_anchor_links": True,
    }})  # fmt: skip
    exporter: Any = exporters.HTMLExporter
    body, _ = exporter(config=config).from_notebook_node(notebook)
    return title, body, documents, items


def _lift_figures(output: Any, documents: list[str], items: list[dict[str, Any]]) -> None:
    """Take the figures' documents out of an output, for the page's own script, and leave their places."""
    text = output.get("data", {}).get("text/html")
    if not text:
        return

    def lift(found: re.Match[str]) -> str:
        place, root, document = found["place"], found["root"], found["document"]
        documents.append(f'"{place}":{document}')
        items.append({"docid": place, "roots": {root: place}, "root_ids": [root]})
        return f'<div class="figure" id="{place}"></div>'

    output.data["text/html"] = _FIGURE.sub(lift, _LIBRARY.sub("", "".join(text)))


def _take_title(notebook: NotebookNode) -> str:
    """First heading of the notebook, which is taken out: the page's head shows it."""
    for cell in notebook.cells:
        found = re.match(r"# (.+)\n?", cell.source) if cell.cell_type == "markdown" else None
        if found:
            cell.source = cell.source[found.end() :]
            return unescape(found[1].strip())
    return ""


def _literal(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _code_colours() -> Markup:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    light = HtmlFormatter(style="xcode", nobackground=True).get_style_defs(".highlight")
    dark = "github-dark"
    shades = HtmlFormatter(style=dark, nobackground=True)
    return Markup(
        f"\n{light}\n@media (prefers-color-scheme: dark) {{\n"
        f"{shades.get_style_defs(':root:not([data-theme=light]) .highlight')}\n}}\n"
        f"{shades.get_style_defs(':root[data-theme=dark] .highlight')}\n"
    )
