"""The command ``maestro``: which commands there are, and how an error ends one.

Exit codes: 0 done, 2 bad input (one line on stderr says what came, the rule and the remedy), 1 failure, 130 stopped
by Ctrl-C. A command's module is imported when the command is called, and imports what it needs when it runs.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

COMMANDS = {
    "strategies": "List the strategies, or explain one with its parameters.",
    "backtest": "Simulate one strategy on bars.",
    "sweep": "Simulate many parameter sets on the same bars and rank them.",
    "check-strategy": "Check a strategy for look-ahead, hidden state and a warm-up that is too short.",
    "walk-forward": "Choose parameters on past bars, test them on later ones, fold by fold.",
    "walk-forward-many": "Run strategies on many series, and estimate how many good results are due to chance.",
    "parity": "Compare the engines, strategy by strategy, and explain where they differ.",
    "report": "Write the report of a run, a notebook or a batch of notebooks, one HTML file each.",
    "runs": "List, show, annotate, export and remove runs on disk.",
    "robustness": "Measure how much small changes of parameters, windows, costs and bars affect a run.",
    "verdict": "Judge a run: robust, inconclusive, fitted, or not enough data.",
    "now": "Choose the current parameters: the run's own search on the most recent training window.",
    "signal": "Print the orders for the next bar, as JSON.",
    "track": "Compare live fills with the expectations of a run.",
    "verify": "Repeat all or part of a recorded run, and compare the results bit for bit.",
    "ledger": "Show the trials on each series; verify that no record was changed.",
    "data": "Fetch, list, check, import, export and remove market data.",
    "app": "Serve the interactive apps: market, backtest, walk-forward, many, runs.",
    "serve": "Start the server of the team service: jobs, progress and results over HTTP.",
    "worker": "Run the jobs of the service.",
    "user": "Add, list and remove users of the service; make API keys.",
    "backup": "Back up jobs, runs, ledgers, bars and settings while they are in use; list, verify and restore backups.",
    "schedule": "Run backups and fetches at intervals.",
    "stack": "Start the API, workers, apps, nginx, Prometheus and QuestDB as plain processes; watch and stop them.",
    "cluster": "Start a Dask cluster on this machine, or show the workers of any cluster.",
    "new": "Create a strategy or a project from a template with a passing test.",
    "config": "Show the settings in effect and where each comes from.",
}
"""Commands in the order of the help, each a module of this package with an `app`."""

_FILES = {"app": "apps"}  # `app` is the name of what this package itself runs

_UsageError: Any = typer.BadParameter.__mro__[1]


class _Commands(TyperGroup):
    """Commands whose modules are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"maestro.cli.{_FILES.get(cmd_name, cmd_name.replace('-', '_'))}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from maestro.errors import nearest

            raise typer.BadParameter(
                f"there is no command {args[0]!r}; there are: {', '.join(COMMANDS)}.{nearest(args[0], COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        from maestro.version import __version__

        typer.echo(f"maestro {__version__}")
        raise typer.Exit


@app.callback(epilog="Help on a command: maestro walk-forward --help")
def maestro(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    server: str = typer.Option(
        "", "--server", metavar="URL", help="Run walk-forward or backtest on a service; its key: MAESTRO_SERVICE_KEY."
    ),
) -> None:
    """Is a trading rule robust, or fitted to the past? Walk-forward research from the shell."""
    if server and ctx.invoked_subcommand not in ("walk-forward", "backtest"):
        raise typer.BadParameter("--server is for walk-forward and backtest only; leave it out.", ctx)
    from maestro._core.temporary import remove_abandoned

    with contextlib.suppress(OSError):  # a command that needs a temporary folder says what is wrong with it
        remove_abandoned()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    code = _run(None if arguments is None else list(arguments))
    if arguments is None:
        gc.freeze()  # the process ends: Python would look at each of a million objects again before it does
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    command = typer.main.get_command(app)
    try:
        result = command.main(arguments, prog_name="maestro", standalone_mode=False)
        sys.stdout.flush()
    except _UsageError as error:
        ctx = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message())
            return 0
        _complain(_what_came(error), f" See: {ctx.command_path} --help" if ctx else "")
        return 2
    except typer.Abort:
        result = 130
    except BrokenPipeError:  # the reader, head or less, has seen enough
        sys.stderr.close()
        return 1
    except Exception as error:
        return _exit_code(error)
    if result == 130:
        _complain("stopped.")
    return result if isinstance(result, int) else 0


def _what_came(error: Any) -> str:
    """Message of a usage error, with the value that came, which pydantic's own leaves out, and a full stop."""
    message = error.format_message().removesuffix(".")
    if details := getattr(error.__cause__, "errors", None):
        came = str(details()[0]["input"])
        message = f"{message.partition(', unable to parse')[0]}, not {came!r}"
        with contextlib.suppress(ValueError):
            if came.endswith("%"):
                message += f"; give it as a fraction, {float(came[:-1]) / 100:g}"
    return f"{message}."


def _exit_code(error: Exception) -> int:
    """Say an expected error in one line and return its exit code; raise any other, which is a bug, as it is."""
    from maestro.errors import MaestroError, RunCancelled

    if isinstance(error, RunCancelled):
        _complain(str(error))
        return 130
    if not isinstance(error, (MaestroError, OSError)):
        raise error
    _complain(str(error))
    return 2 if isinstance(error, ValueError) else 1


def _complain(message: str, hint: str = "") -> None:
    typer.echo(f"maestro: {' '.join(message.split())}{hint}", err=True)
