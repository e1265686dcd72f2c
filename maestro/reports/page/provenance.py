"""The provenance of a result, how to reproduce it, and the anomalies in its data."""

from __future__ import annotations

import json
import re
from typing import Any

from maestro._core.formatting import metric, moment, percent, significant
from maestro.reports.html.environment import Html, render
from maestro.reports.html.fragments import Cell, code, empty, joined, pairs, table
from maestro.reports.tables.annualisation import described
from maestro.walkforward.result import WalkForward

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(\+00:00|Z)?")
_LONG = 40
_SETTINGS = {
    "seed": "Seed",
    "splitter": "Splitter",
    "search": "Search",
    "trials": "Trials per fold",
    "selection": "Ranked by",
    "params": "Fixed parameters",
    "first": "First trial",
    "warm_start": "Warm start",
    "pruner": "Pruner",
    "costs": "Costs",
    "sizing": "Sizing",
    "cash": "Cash",
    "fill": "Fills",
}
_RECORD = (("started", "Started"), ("seconds", "Took, in seconds"), ("status", "Status"), ("versions", "Versions"))


def quality_table(wf: WalkForward) -> Html:
    """Data quality recorded in the manifest: one row per finding, as `bars.quality()` lists them."""
    found = wf.manifest.get("quality")
    if isinstance(found, dict) and found and all(isinstance(v, list) for v in found.values()):
        found = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    if isinstance(found, dict):
        return pairs((_words(key), _text(value)) for key, value in found.items())
    if not isinstance(found, list):
        return empty("The run has no record of the quality of its data.")
    if not found:
        return empty("No anomaly was found in the data.")
    if not all(isinstance(row, dict) for row in found):
        return render("list.html", items=found)
    head = list(dict.fromkeys(key for row in found for key in row))
    numeric = [
        i for i, key in enumerate(head) if all(isinstance(row.get(key), (int, float, type(None))) for row in found)
    ]
    rows = [[_cell(row.get(key)) for key in head] for row in found]
    return table([_words(key) for key in head], rows, numeric=numeric, kind="plain quality", caption="Data quality")


def _cell(value: Any) -> Cell:
    text = _stamp(value) if isinstance(value, str) and _STAMP.fullmatch(value) else _text(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Cell(text, kind="num" if number else "wide" if len(text) > _LONG else "")


def provenance(wf: WalkForward) -> Html:
    """Identity, data, settings and versions of the run, and the lines that reproduce it."""
    spec, bars, manifest = wf.spec, wf.spec.bars, wf.manifest
    rows: list[tuple[object, object]] = [
        ("Run", code(wf.id)),
        ("Data fingerprint", code(bars.fingerprint)),
        ("Bars", f"{bars.name} {bars.n:,} bars, {moment(bars.start)} to {moment(bars.end)} UTC".strip()),
        ("Strategy", spec.strategy),
        ("Source hash", code(spec.source)),
    ]
    settings = spec.to_dict()
    for key, name in _SETTINGS.items():
        given = settings[key]
        if not (given is None or given is False or given == {} or given == []):
            rows.append((name, _setting(key, given)))
    rows.append(("Annualised with", described(wf)))
    for key, name in _RECORD:
        if manifest.get(key):
            rows.append((name, f"{_stamp(manifest[key])} UTC" if key == "started" else _text(manifest[key])))
    parts = [pairs(rows)]
    for key, name in (("command", "In a shell"), ("python", "In Python")):
        given = manifest.get(key)
        if given:
            text = "\n".join(map(str, given)) if isinstance(given, (list, tuple)) else str(given)
            parts.append(render("listing.html", title=name, text=text))
    return joined(parts)


def _setting(key: str, value: Any) -> str:
    if key == "costs" and isinstance(value, dict):
        return ", ".join(
            f"{name} {percent(v, 3)}" if isinstance(v, float) else f"{name} {v}" for name, v in value.items()
        )
    if key == "selection" and isinstance(value, dict):
        weights = f" with weights {_text(value['weights'])}" if value.get("weights") else ""
        return f"{_text(value.get('metrics'))} ({value.get('kind')}){weights}"
    if key in ("splitter", "sizing") and isinstance(value, dict) and "kind" in value:
        rest = {name: setting for name, setting in value.items() if name != "kind"}
        return f"{value['kind']}: {_text(rest)}"
    if key == "seed":
        return str(value)
    if key == "cash":
        return metric("final_equity", float(value))
    if key == "fill":
        return "at the next bar's open" if value == "next_open" else "at the close of the signal (looks ahead)"
    return _text(value)


def _text(value: Any) -> str:
    """Value in words: dictionaries as ``name value`` pairs, lists with commas."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{_words(key).lower() if ' ' in _words(key) else key} {_text(v)}" for key, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    if isinstance(value, float):
        return significant(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _words(key: Any) -> str:
    return str(key).replace("_", " ").capitalize()


def _stamp(value: Any) -> str:
    return (
        value.removesuffix("+00:00").removesuffix("Z").replace("T", " ")[:16]
        if isinstance(value, str)
        else moment(value)
    )
