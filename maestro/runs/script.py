"""The Python code that reproduces a run."""

from __future__ import annotations

from typing import Any

_SPLITTERS = ("Rolling", "Expanding", "Adaptive", "Calendar", "OnRegime")


def python_lines(spec: dict[str, Any], origin: str, declared: dict[str, Any], built_in: bool) -> str:
    """Return a script for the run of a spec.

    Parameters
    ----------
    spec : dict
        As in the manifest.
    origin : str
        Expression that gives the bars, empty where it is not known.
    declared : dict
        The strategy's own search ranges, as in ``spec["space"]["search"]``; what equals them is left out.
    built_in : bool
        Whether the strategy is called by its name; else its class stands there.
    """
    bars, splitter, space = spec["bars"], dict(spec["splitter"]), spec["space"]
    kind = splitter.pop("kind")
    sizing, search = spec["sizing"], spec["search"]
    if kind == "OnRegime":
        model = ", ".join(f"{k}={v!r}" for k, v in splitter.pop("model").items())
        windows = f"ms.OnRegime({', '.join(f'{k}={v!r}' for k, v in splitter.items())}, model=ms.Regimes({model}))"
    else:
        windows = f"ms.{kind}({', '.join(f'{k}={v!r}' for k, v in splitter.items() if v is not None)})"
    if kind not in _SPLITTERS:
        windows = f"...,  # {kind} {splitter}\n    "
    own = {name: ranged for name, ranged in space["search"].items() if ranged != declared.get(name)}
    selection = spec["selection"]
    select: Any = tuple(selection["metrics"])
    if selection["kind"] == "weighted":
        select = dict(zip(selection["metrics"], selection["weights"], strict=True))
    said = f"maestro.walkforward.Selection({select!r}, {selection['kind']!r})"
    select = repr(select) if selection["kind"] in ("order", "weighted") else said
    arguments = {
        "splitter": windows,
        "trials": spec["trials"],
        "search": repr(search) if isinstance(search, str) else f"...,  # {search['name']} {search['settings']}\n    ",
        "seed": spec["seed"],
        "params": repr(space["fixed"]) if space["fixed"] else None,
        "space": repr(own) if own else None,
        "costs": f"ms.Costs({', '.join(f'{k}={v!r}' for k, v in spec['costs'].items())})",
        "sizing": f"ms.Sizing({sizing['kind']!r}, {sizing['value']!r}, max_exposure={sizing['max_exposure']!r})",
        "cash": repr(spec["cash"]),
        "fill": repr(spec["fill"]),
        "select": select if select != "('sharpe_ratio', 'vwr')" else None,
        "warm_start": "True" if spec["warm_start"] else None,
        "pruner": f"...,  # {spec['pruner']['name']} {spec['pruner']['settings']}\n    " if spec["pruner"] else None,
    }
    name = repr(spec["strategy"]) if built_in else f"{spec['strategy']}"
    if spec["first"]:
        name = f"ms.strategy({name}, **{spec['first'][0]!r})" if built_in else f"{name}(**{spec['first'][0]!r})"
    imported = "import maestro.walkforward\n" if select == said else ""
    given = "".join(f"    {key}={value},\n" for key, value in arguments.items() if value is not None)
    return (
        f"import maestro as ms\n{imported}\n"
        f"bars = {origin or '...'}  # {bars['name']}, {bars['n']:,} bars, fingerprint {bars['fingerprint'][:16]}\n"
        f"wf = ms.walk_forward(\n    bars,\n    {name},{'' if built_in else '  # the class of this name'}\n{given})\n"
    )
