"""Pages that the build makes: one per strategy, the endpoints of the service, and copies of the notebooks.

They are written to ``docs/strategies``, ``docs/notebooks`` and ``docs/endpoints.md`` before Sphinx reads the sources,
and are not kept in the repository: what they say cannot differ from the code.
"""

from __future__ import annotations

import inspect
import json
import shutil
import tempfile
import warnings
from html import escape
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
SAMPLE = "AAPL"
YEARS = 504
"""Bars of the picture: two years of days."""
FAMILIES = {
    "classic": "Rules that are in every book.",
    "scalping": "Rules made for short bars; they trade often, and costs decide.",
    "derivatives": "Rules on funding, open interest and basis, and rules made for perpetual contracts.",
}


def write(static: Path) -> None:
    """Write all of them; `static` is a folder of files that the pages load."""
    import bokeh

    static.mkdir(parents=True, exist_ok=True)
    for name in ("bokeh.min.js", "bokeh-widgets.min.js"):
        shutil.copy(Path(bokeh.__file__).parent / "server/static/js" / name, static / name)
    _strategies(_emptied(DOCS / "strategies"))
    _notebooks(_emptied(DOCS / "notebooks"))
    _endpoints(DOCS / "endpoints.md")


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _endpoints(path: Path) -> None:
    """Write the page of the service's endpoints."""
    from maestro.service.web.application import openapi

    with tempfile.TemporaryDirectory() as folder:
        path.write_text(endpoints_page(openapi(Path(folder))))


def endpoints_page(document: dict[str, Any]) -> str:
    """Markdown of an OpenAPI document: every endpoint with its parameters, then the fields of a submission."""
    lines = [
        "# Endpoints of the service",
        "",
        f"Made from the OpenAPI document of Maestro {document['info']['version']}, which a running service has at "
        "`/openapi.json`. [Maestro for a team](team.md) explains them.",
    ]
    by_tag: dict[str, list[str]] = {}
    for address, methods in document["paths"].items():
        for method, one in methods.items():
            entry = [f"### `{method.upper()} {address}`", "", f"{one['summary']}.", ""]
            given = one.get("parameters", [])
            if given:
                entry += ["| parameter | in | type | default | meaning |", "|---|---|---|---|---|"]
                entry += [_parameter_row(parameter) for parameter in given]
            if "requestBody" in one:
                entry += ["", _body_words(one["requestBody"])]
            by_tag.setdefault(one["tags"][0], []).append("\n".join(entry))
    for tag, entries in by_tag.items():
        lines += ["", f"## {tag.capitalize()}", "", "\n\n".join(entries)]
    body = document["paths"]["/api/v2/optimizations"]["post"]["requestBody"]["content"]["application/json"]
    lines += ["", "## Fields of a submission", "", "| field | type | default | meaning |", "|---|---|---|---|"]
    for name, field in body["schema"]["properties"].items():
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        lines.append(f"| `{name}` | {field.get('type', 'any')} | {default} | {field['description']} |")
    for example in body["examples"].values():
        lines += ["", f"{example['summary']}:", "", "```json", json.dumps(example["value"], indent=2), "```"]
    return "\n".join(lines) + "\n"


def _body_words(body: dict[str, Any]) -> str:
    names = body["content"]["application/json"]["schema"]["properties"]
    if "strategy" in names:
        return "The body is a [submission](#fields-of-a-submission)."
    optional = "" if body["required"] else ", which may be left out"
    return f"The body is a JSON object with {' and '.join(f'`{name}`' for name in names)}{optional}."


def _parameter_row(parameter: dict[str, Any]) -> str:
    schema = parameter.get("schema", {})
    kind = schema.get("type") or " or ".join(one.get("type", "") for one in schema.get("anyOf", []))
    options = ", ".join(f"`{one}`" for one in schema.get("enum", []))
    default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
    words = parameter.get("description", "") or options
    return f"| `{parameter['name']}` | {parameter['in']} | {kind} | {default} | {words} |"


def _notebooks(folder: Path) -> None:
    """Execute the numbered notebooks, and write a page that lists them by their titles.

    Controls become the values they had: with their scripts the pages would ask two foreign hosts.
    """
    import nbformat
    from nbclient import NotebookClient

    from maestro.reports.notebooks.widgets import static_outputs

    sources = sorted((DOCS.parent / "notebooks").glob("[0-9]*.ipynb"))
    for source in sources:
        notebook = nbformat.read(source, as_version=4)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
        state = notebook.metadata.pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = static_outputs(cell.outputs, state.get("state", {}))
        nbformat.write(notebook, folder / source.name)
    entries = "\n".join(source.stem for source in sources)
    (folder / "index.md").write_text(
        "# Notebooks\n\nEach has one cell of parameters, and runs as it stands or by `maestro report NOTEBOOK -p …`. "
        f"Here they were executed by the build of these pages.\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"
    )


def _strategies(folder: Path) -> None:
    from maestro.strategies import STRATEGIES

    by_family: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for name, cls in STRATEGIES.items():
        by_family[cls.family].append(name)
        (folder / f"{name}.md").write_text(strategy_page(cls), encoding="utf-8")
    lines = [
        "# The strategies",
        "Each page is made from the strategy's declaration: its rule, its parameters with default and search range, "
        f"its warm-up, and what it did on two years of {SAMPLE} with the default parameters and the usual costs. "
        "The pictures say how a rule behaves, not what it earns.",
    ]
    for family, names in by_family.items():
        entries = "\n".join(names)
        lines += [f"## {family.capitalize()}", FAMILIES[family], f"```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```"]
    (folder / "index.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")


def strategy_page(cls: Any) -> str:
    """Markdown of one strategy: rule, parameters, how to run it, picture."""
    name, given = cls.__name__, {"proxy": True} if cls.requires else {}
    default = cls(**given)
    lines = [f"# {name}", inspect.cleandoc(cls.__doc__ or "")]
    lines.append(_parameters(cls.declared))
    if cls.constraints:
        lines.append("Must hold: " + "; ".join(f"`{constraint.rule}`" for constraint in cls.constraints) + ".")
    if cls.requires:
        series = ", ".join(f"`{one}`" for one in cls.requires)
        lines.append(f"Bars must carry {series}; `proxy=True` takes a stand-in from prices and volume instead:")
        lines.append(_parameters(cls.parameters(given)))
    lines.append(f"Warm-up with these parameters: {default.warmup(default.params)} bars.")
    params = "".join(f", {key}={value!r}" for key, value in given.items())
    lines.append(
        f'```python\nimport maestro as ms\n\nbars = ms.load_sample("{SAMPLE}")\n'
        f'bt = ms.backtest(bars, ms.strategy("{name}"{params}))\n'
        f'wf = ms.walk_forward(bars, "{name}"{", params=" + repr(given) if given else ""}, trials=100, seed=0)\n```'
    )
    lines.append(_picture(default))
    return "\n\n".join(lines) + "\n"


def _parameters(declared: dict[str, Any]) -> str:
    rows = ["| parameter | meaning | default | searched |", "|---|---|---|---|"]
    rows += [f"| `{key}` | {one.doc} | {one.default} | {_searched(one)} |" for key, one in declared.items()]
    return "\n".join(rows)


def _searched(parameter: Any) -> str:
    low, high = getattr(parameter, "low", None), getattr(parameter, "high", None)
    if not parameter.search:
        return "fixed"
    if low is None:
        return ", ".join(map(str, getattr(parameter, "options", ("True", "False"))))
    return f"{low} to {high}" + (" (log)" if getattr(parameter, "log", False) else "")


def _picture(strategy: Any) -> str:
    """Figure of a backtest, drawn by a script that the page carries; what it traded, in words."""
    from bokeh.embed import json_item

    import maestro as ms
    from maestro.reports import backtest_figure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bt = ms.backtest(ms.load_sample(SAMPLE)[-YEARS:], strategy)
        item = json.dumps(json_item(backtest_figure(bt))).replace("<", "\\u003c")
    place = f"picture-{type(strategy).__name__}"
    said = f"{int(bt.metrics['num_trades'])} closed trades, {bt.metrics['total_return']:+.1%}"
    notes = "".join(f" {note[0].upper()}{note[1:].rstrip('.')}." for note in dict.fromkeys(bt.notes))
    return (
        f"```{{raw}} html\n<p>{escape(SAMPLE)}, the last {YEARS} days: {said}.{escape(notes)}</p>\n"
        f'<div id="{place}" style="background:#fefefe;padding:8px"></div>\n'
        '<script src="../_static/bokeh.min.js"></script>\n'
        f'<script>Bokeh.embed.embed_item({item}, "{place}")</script>\n```'
    )
