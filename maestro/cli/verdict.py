"""``maestro verdict``: what a run is worth, check by check; kept with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from maestro.validation.verdict.result import Verdict
    from maestro.validation.verdict.rule import Check

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="The checks, their thresholds and the rule: docs/verdict.md.")
def verdict(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, the beginning of one, or its folder.")],
    runs_dir: options.RunsDir = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="NAME", help="Its bars, where they are not found again by themselves."),
    ] = None,
    symbol: options.Symbol = None,
    start: options.Start = None,
    end: options.End = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", metavar="FILE:CLASS", help="Its strategy, where it is your own.")
    ] = None,
    permutations: Annotated[
        int, typer.Option(metavar="N", help="Repetitions on shuffled bars; 199 can show p = 0.005, 0 leaves them out.")
    ] = 19,
    seed: options.Seed = None,
    workers: options.Workers = None,
    force: Annotated[bool, typer.Option("--force", help="Judge again also where a verdict is kept.")] = False,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show progress on stderr.")] = True,
    json: options.Json = False,
) -> None:
    """Judge a run: robust, inconclusive, fitted, or not enough data to say.

    A verdict that was made with the same settings is shown as it was kept.
    """
    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.cli.printing import print_json
    from maestro.validation.verdict import build as judge
    from maestro.walkforward.result import load_run

    wf = load_run(run, reading.configured(runs_dir, "runs_dir"))
    if data is None and any((symbol, start, end)):
        raise typer.BadParameter("--symbol, --start and --end belong to --data; say --data too", ctx)
    number = reading.configured(seed, "search.seed")
    kept = None if force else wf.verdict
    if kept is None or (kept.settings["permutations"], kept.settings["seed"]) != (permutations, number):
        bars = None if data is None else reading.read_bars(data, symbol, start, end)
        own = None if strategy is None else reading.read_strategy(strategy, None)
        with stopping.stopped_by_ctrl_c() as cancel:
            kept = judge.verdict(
                wf, bars, permutations=permutations, seed=number, strategy=own, progress=progress and not json,
                workers=reading.configured(workers, "search.workers"), cancel=cancel,
            )  # fmt: skip
    elif not json:
        typer.echo(f"the verdict on {wf.id} was there already; --force makes it again", err=True)
    if json:
        print_json(kept.to_dict())
    else:
        show(kept)


def show(verdict: Verdict) -> None:
    """Print a verdict for a person: the conclusion, each question with its checks, what would change it."""
    from rich.console import Console
    from rich.text import Text

    from maestro.cli.printing import say, show_notes
    from maestro.validation.verdict.rule import QUESTIONS

    console = Console(highlight=False)
    tone = {"robust": "green", "fitted": "red", "inconclusive": "yellow", "not enough data": "yellow"}
    console.print(Text(verdict.conclusion.upper(), style=f"bold {tone[verdict.conclusion]}"), end=" ")
    console.print(f"{verdict.strategy} on {verdict.series}, run {verdict.run}", markup=False)
    say(verdict.headline)
    answers = verdict.answers
    for question, text in QUESTIONS.items():
        typer.echo()
        console.print(Text(f"{text} "), Text(answers[question], style="bold"), sep="")
        for check in verdict.checks:
            if check.question == question:
                _show_check(check, console)
    if verdict.changes:
        typer.echo()
        console.print(Text("What would change it", style="bold"))
        for change in verdict.changes:
            say(change, bullet="  ")
    show_notes(verdict.notes)


def _show_check(check: Check, console: Any) -> None:
    from rich.text import Text

    from maestro.cli.printing import say

    mark, style = {"pass": ("+", "green"), "fail": ("-", "red"), "not done": ("?", "yellow")}[check.outcome]
    line = Text("  ")
    line.append(mark, style=style)
    line.append(f" {check.title}: ")
    line.append(check.shown, style="bold")
    if check.outcome != "not done":
        line.append(f" ({check.asked})")
    console.print(line)
    say(check.meaning, bullet="    ")
