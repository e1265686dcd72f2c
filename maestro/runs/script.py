"""The Python code that reproduces a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from maestro.runs.spec import ObjectSpec, RunSpec, SelectionSpec, SplitterSpec
from maestro.search.dimensions import Dimension

_SPLITTERS = ("Rolling", "Expanding", "Adaptive", "Calendar", "OnRegime")
_DEFAULT_SELECT = "('sharpe_ratio', 'vwr')"


def python_lines(spec: RunSpec, origin: str, declared: Mapping[str, Dimension], built_in: bool) -> str:
    """Return a script that repeats the run of a specification.

    Parameters
    ----------
    spec : RunSpec
    origin : str
        Expression that loads the bars, empty if it is unknown.
    declared : mapping of Dimension
        The strategy's own search ranges by name, as ``spec.space`` has them; ranges equal to these are left out.
    built_in : bool
        Whether the strategy is found by its name; otherwise the script names its class.
    """
    bars, sizing = spec.bars, spec.sizing
    ranges = {name: one.to_dict() for name, one in spec.space.items() if one != declared.get(name)}
    select = _select(spec.selection)
    arguments = {
        "splitter": _splitter(spec.splitter),
        "trials": spec.trials,
        "search": repr(spec.search) if isinstance(spec.search, str) else _placeholder(spec.search),
        "seed": spec.seed,
        "params": repr(dict(spec.params)) if spec.params else None,
        "space": repr(ranges) if ranges else None,
        "costs": f"ms.Costs({_named(asdict(spec.costs))})",
        "sizing": f"ms.Sizing({sizing.kind!r}, {sizing.value!r}, max_exposure={sizing.max_exposure!r})",
        "cash": repr(spec.cash),
        "fill": repr(spec.fill),
        "select": select if select != _DEFAULT_SELECT else None,
        "warm_start": "True" if spec.warm_start else None,
        "pruner": None if spec.pruner is None else _placeholder(spec.pruner),
    }
    name = repr(spec.strategy) if built_in else spec.strategy
    if spec.first:
        first = dict(spec.first[0])
        name = f"ms.strategy({name}, **{first!r})" if built_in else f"{name}(**{first!r})"
    imported = "import maestro.walkforward\n" if select.startswith("maestro.") else ""
    given = "".join(f"    {key}={value},\n" for key, value in arguments.items() if value is not None)
    return (
        f"import maestro as ms\n{imported}\n"
        f"bars = {origin or '...'}  # {bars.name}, {bars.n:,} bars, fingerprint {bars.fingerprint[:16]}\n"
        f"wf = ms.walk_forward(\n    bars,\n    {name},{'' if built_in else '  # the class of this name'}\n{given})\n"
    )


def _splitter(spec: SplitterSpec) -> str:
    settings = dict(spec.settings)
    if spec.kind not in _SPLITTERS:
        return f"...,  # {spec.kind} {settings}\n    "
    if spec.kind == "OnRegime":
        model = settings.pop("model")
        return f"ms.OnRegime({_named(settings)}, model=ms.Regimes({_named(model)}))"
    return f"ms.{spec.kind}({_named({name: value for name, value in settings.items() if value is not None})})"


def _select(spec: SelectionSpec) -> str:
    if spec.kind == "weighted":
        return repr(dict(zip(spec.metrics, spec.weights, strict=True)))
    return (
        repr(spec.metrics)
        if spec.kind == "order"
        else (f"maestro.walkforward.Selection({spec.metrics!r}, {spec.kind!r})")
    )


def _placeholder(thing: ObjectSpec) -> str:
    """Return a gap in the script for an object that code cannot give, with its description as a comment."""
    return f"...,  # {thing.name} {dict(thing.settings)}\n    "


def _named(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
