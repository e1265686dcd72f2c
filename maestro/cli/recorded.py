"""The recorded run that a command works on: its arguments, and the run, bars and class that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from maestro.walkforward import WalkForward

T = TypeVar("T")

Run = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, the beginning of one, or its folder.")]
Data = Annotated[
    str | None,
    typer.Option(
        "--data", "-d", metavar="NAME", help="The run's bars followed by newer ones.  [default: the run's bars]"
    ),
]
Own = Annotated[
    str | None,
    typer.Option("--strategy", metavar="FILE:CLASS", help="The strategy's class, if the run used a user-defined one."),
]


def opened_run(run: str, data: str | None, symbol: str | None, strategy: str | None, runs_dir: Path | None) -> Any:
    """Run, bars and class of the arguments."""
    from maestro.cli.parsing import read_strategy

    cls = None if strategy is None else read_strategy(strategy, None)
    return found_run(run, runs_dir), given_bars(data, symbol), cls


def found_run(run: str, runs_dir: Path | None) -> WalkForward:
    """Run by its id, the beginning of one, or its folder.

    Raises
    ------
    SettingsError
        There is none, or several begin like this.
    """
    from maestro.runs import find
    from maestro.walkforward.result import load_run

    return load_run(named(find, run, runs_dir).folder)


def named(find: Callable[[str, Path], T], run: str, runs_dir: Path | None) -> T:
    """Return what `find` finds in the runs directory under a name of the command line.

    Raises
    ------
    SettingsError
        There is nothing of this name, or several begin like this.
    """
    from maestro.cli.parsing import configured
    from maestro.errors import RunError, SettingsError

    try:
        return find(run, configured(runs_dir, "runs_dir"))
    except RunError as error:
        raise SettingsError(str(error)) from error


def given_bars(data: str | None, symbol: str | None, start: str | None = None, end: str | None = None) -> Any:
    """Bars of ``--data``, None without it.

    Raises
    ------
    SettingsError
        Without it, an option that says how to read it.
    """
    from maestro.cli import parsing as reading
    from maestro.cli.file_options import file_options
    from maestro.errors import SettingsError

    if data is not None:
        return reading.read_bars(data, symbol, start, end)
    names = {"columns": "column"}
    given = {"symbol": symbol, "start": start, "end": end, **file_options()}
    flags = [f"--{names.get(name, name)}" for name, value in given.items() if value is not None]
    if flags:
        raise SettingsError(
            f"{' and '.join(flags)} {'is' if len(flags) == 1 else 'are'} for the bars of --data, which was not given; "
            f"add --data, or leave {'it' if len(flags) == 1 else 'them'} out."
        )
    return None
