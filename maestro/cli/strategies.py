"""``maestro strategies``: lists the strategies, or explains the parameters of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from maestro.strategies import Strategy

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def strategies(
    name: Annotated[
        str | None, typer.Argument(metavar="[STRATEGY]", help="Explain this one; also path/to/file.py:ClassName.")
    ] = None,
    json: options.Json = False,
) -> None:
    """List the strategies, or explain one with its parameters."""
    from maestro.cli.parsing import read_strategy
    from maestro.cli.printing import print_json
    from maestro.strategies import REGISTRY

    if name is not None:
        strategy = read_strategy(name, None)
        print_json(_described(strategy)) if json else _explain(strategy)
        return
    found, problems = REGISTRY.load_all()
    if json:
        print_json([_described(strategy) for strategy in found.values()])
    else:
        _list(list(found.values()))
    for problem in problems:
        typer.echo(f"maestro: {problem}", err=True)


def _described(strategy: type[Strategy]) -> dict[str, Any]:
    return {
        "name": strategy.__name__,
        "family": strategy.family,
        "doc": _words(strategy),
        "requires": list(strategy.requires),
        "constraints": [constraint.rule for constraint in strategy.constraints],
        "parameters": [
            {
                "name": name,
                "type": parameter.kind,
                "default": parameter.default,
                "low": getattr(parameter, "low", None),
                "high": getattr(parameter, "high", None),
                "log": getattr(parameter, "log", False),
                "options": list(getattr(parameter, "options", ())) or None,
                "searched": parameter.search,
                "doc": parameter.doc,
            }
            for name, parameter in strategy.declared.items()
        ],
    }


def _words(strategy: type[Strategy]) -> str:
    import inspect

    return inspect.cleandoc(strategy.__doc__ or "")


def _list(classes: list[type[Strategy]]) -> None:
    from maestro.cli.printing import show_table

    for family in dict.fromkeys(strategy.family for strategy in classes):
        rows = []
        for strategy in classes:
            defaults = ", ".join(f"{name} {_short(p.default)}" for name, p in strategy.declared.items())
            needs = f"; needs {', '.join(strategy.requires)}" if strategy.requires else ""
            if strategy.family == family:
                rows.append((strategy.__name__, defaults + needs))
        show_table((family, "parameters and defaults"), rows, left=2)
        typer.echo()
    typer.echo("One of them in full: maestro strategies EmaCrossStrategy")


def _explain(strategy: type[Strategy]) -> None:
    from maestro.cli.printing import show_table

    typer.echo(f"{strategy.__name__} ({strategy.family})\n\n{_words(strategy)}\n")
    rows = []
    for name, parameter in strategy.declared.items():
        low, high = getattr(parameter, "low", None), getattr(parameter, "high", None)
        choices = getattr(parameter, "options", ("True", "False") if parameter.kind == "bool" else ())
        searched = f"{_short(low)} to {_short(high)}" if low is not None else ", ".join(map(str, choices))
        log = " (log)" if getattr(parameter, "log", False) else ""
        rows.append((name, parameter.doc, _short(parameter.default), (searched + log) if parameter.search else "fixed"))
    if rows:
        show_table(("parameter", "meaning", "default", "searched"), rows, left=2)
    if strategy.constraints:
        typer.echo("Must hold: " + "; ".join(constraint.rule for constraint in strategy.constraints))
    if strategy.requires:
        typer.echo("Bars must carry: " + ", ".join(strategy.requires))


def _short(value: Any) -> str:
    from maestro._core.formatting import significant

    return significant(value)
