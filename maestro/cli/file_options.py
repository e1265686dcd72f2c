"""Options for reading the file that ``--data`` names: those of ``maestro data import``, for every command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, TypeVar

import typer

from maestro.errors import SettingsError

F = TypeVar("F", bound=Callable[..., Any])
_GIVEN: ContextVar[dict[str, Any]] = ContextVar("maestro_file_options")
Timeframe = Annotated[
    str | None, typer.Option(metavar="NAME", help="Timeframe of a file; inferred from the stamps by default.")
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", metavar="NAME=COLUMN", help="Of a file: volume=VolumeBTC, or volume=0; repeatable."),
]
Unit = Annotated[
    str | None,
    typer.Option(metavar="UNIT", help="Of a file's stamps: s, ms, us, ns, excel or a date format like %d/%m/%Y."),
]
Zone = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Time zone of a file's stamps without one: America/New_York; else UTC."),
]
Stamps = Annotated[
    str | None, typer.Option(metavar="END", help="Which end of the bar a file's stamps are: open or close.")
]
Duplicates = Annotated[
    str | None, typer.Option(metavar="WHICH", help="Of a file's rows with one stamp: refuse, first or last.")
]
Decimal = Annotated[str | None, typer.Option(metavar="SIGN", help="Decimal sign of a file's numbers: . or , .")]
_OPTIONS = {
    "timeframe": Timeframe, "column": Column, "unit": Unit, "zone": Zone, "stamps": Stamps, "duplicates": Duplicates,
    "decimal": Decimal,
}  # fmt: skip


def takes_file_options(command: F) -> F:
    """Add the options to a command, which finds what was given in `file_options`."""

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        given = {name: value for name in _OPTIONS if (value := arguments.pop(name)) is not None}
        columns = read_columns(given.pop("column", None))
        token = _GIVEN.set({**given, **({"columns": columns} if columns else {})})
        try:
            return command(**arguments)
        finally:
            _GIVEN.reset(token)

    own = inspect.signature(command, eval_str=True)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.parameters.values()]
    run.__signature__ = own.replace(parameters=[*parameters, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in (*parameters, *added)}
    return run  # type: ignore[return-value]


def file_options() -> dict[str, Any]:
    """What the command that runs was given, by the names of `ms.load`."""
    return dict(_GIVEN.get({}))


def read_columns(pairs: list[str] | None) -> dict[str, str]:
    """Columns by name of texts ``NAME=COLUMN``.

    Raises
    ------
    SettingsError
        A text of another form, or a name that is given twice.
    """
    columns: dict[str, str] = {}
    for pair in pairs or ():
        name, equals, column = pair.partition("=")
        if not (equals and name.strip() and column.strip()) or name.strip() in columns:
            raise SettingsError(f"--column {pair!r} is not understood; write volume=VolumeBTC, once for each column.")
        columns[name.strip()] = column.strip()
    return columns
