"""``maestro verify``: repeat a recorded run, one fold or all, and compare it bit by bit."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Own, Run, given_bars

if TYPE_CHECKING:
    from maestro.reproduce.verify import Verification

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="Exit code: 0 equal, 1 something differs, 2 bad input.")
@takes_file_options
def verify(
    ctx: typer.Context,
    run: Run,
    fold: Annotated[list[int] | None, typer.Option("--fold", metavar="K", help="A fold to repeat; repeatable.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Repeat every fold.  [default: one at random]")] = False,
    data: Annotated[
        str | None, typer.Option("--data", "-d", metavar="NAME", help="Bars to use in place of the recorded source.")
    ] = None,
    symbol: options.Symbol = None,
    strategy: Own = None,
    runs_dir: options.RunsDir = None,
    workers: options.Workers = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Repeat all or part of a recorded run, and compare the results bit for bit.

    Files, manifest and ledger are checked too. Nothing is written, and no trial is counted.
    """
    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.errors import RunError, SettingsError
    from maestro.reproduce.verify import verify as repeat
    from maestro.walkforward import ProgressBar

    if fold and all_:
        raise typer.BadParameter("--fold and --all exclude each other; give one of them.", ctx)
    cls = None if strategy is None else reading.read_strategy(strategy, None)
    folder = reading.configured(runs_dir, "runs_dir")
    bars = given_bars(data, symbol)
    bar = ProgressBar(mininterval=0.1 if sys.stderr.isatty() else 10.0)
    try:
        with stopping.stopped_by_ctrl_c() as cancel:
            outcome = repeat(
                run, folds="all" if all_ else fold or None, runs_dir=folder, bars=bars, strategy=cls,
                workers=reading.configured(workers, "search.workers"), progress=[bar] if progress else False,
                cancel=cancel,
            )  # fmt: skip
    except RunError as error:  # there is no such run, or it is unfinished: nothing that could differ
        raise SettingsError(str(error)) from error
    if json:
        from maestro.cli.printing import print_json

        print_json(document(outcome))
    else:
        show(outcome)
    if not outcome.equal:
        raise typer.Exit(1)


def document(outcome: Verification) -> dict[str, Any]:
    """Everything that a program wants to know."""
    return {
        "id": outcome.id,
        "equal": outcome.equal,
        "folds": outcome.folds,
        "of": outcome.of,
        "differences": [{"what": what, "text": text} for what, text in outcome.differences],
        "notes": outcome.notes,
        "kernels": outcome.kernels,
        "seconds": outcome.seconds,
    }


def show(outcome: Verification) -> None:
    """Print the conclusion, then what differs, then what may be why."""
    from maestro.cli.printing import say, show_notes

    say(f"{outcome.conclusion} ({outcome.seconds:.1f} s)")
    for what, text in outcome.differences:
        say(f"{what}: {text}", bullet="! ")
    show_notes(outcome.notes)
    say(f"Compiled code: {outcome.kernels}")
    if outcome.equal and len(outcome.folds) < outcome.of:
        say(f"To repeat all folds: maestro verify {outcome.id} --all")
