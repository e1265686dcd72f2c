"""The recorded run that a command works on: its arguments, and the run, bars and class that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Run = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, the beginning of one, or its folder.")]
Data = Annotated[
    str | None,
    typer.Option("--data", "-d", metavar="NAME", help="The run's bars with newer ones behind; by default the run's."),
]
Own = Annotated[str | None, typer.Option("--strategy", metavar="FILE:CLASS", help="The class of a user-defined one.")]


def opened_run(run: str, data: str | None, symbol: str | None, strategy: str | None, runs_dir: Path | None) -> Any:
    """Run, bars and class of the arguments."""
    from maestro.cli import parsing as reading
    from maestro.errors import RunError, SettingsError
    from maestro.walkforward.result import load_run

    cls = None if strategy is None else reading.read_strategy(strategy, None)
    try:
        wf = load_run(run, reading.configured(runs_dir, "runs_dir"))
    except RunError as error:
        raise SettingsError(str(error)) from error
    return wf, None if data is None else reading.read_bars(data, symbol, None, None), cls
