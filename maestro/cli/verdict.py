"""``maestro verdict``: judge a run, check by check; the verdict is kept with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Own, Run, found_run, given_bars

if TYPE_CHECKING:
    from maestro.validation.verdict.result import Verdict
    from maestro.validation.verdict.rule import Check

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(epilog="The checks, their thresholds and the rule: docs/verdict.md.")
@takes_file_options
def verdict(
    run: Run,
    runs_dir: options.RunsDir = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", metavar="NAME", help="Its bars, if they cannot be found automatically."),
    ] = None,
    symbol: options.Symbol = None,
    start: options.Start = None,
    end: options.End = None,
    strategy: Own = None,
    permutations: Annotated[
        int, typer.Option(metavar="N", help="Repetitions on permuted bars; 199 can show p = 0.005, 0 skips them.")
    ] = 19,
    seed: options.Seed = None,
    workers: options.Workers = None,
    preliminary: Annotated[
        bool, typer.Option("--preliminary", help="Only the checks that need neither bars nor a simulation; at once.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Judge again even if there is a verdict.")] = False,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Judge a run: robust, inconclusive, fitted, or not enough data.

    A verdict that was made before with the same settings is shown as it is.
    """
    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.cli.printing import print_json
    from maestro.validation.verdict import build as judge

    wf = found_run(run, runs_dir)
    bars = given_bars(data, symbol, start, end)
    number = reading.configured(seed, "search.seed")
    if preliminary:
        from maestro.validation.verdict.preliminary import preliminary_verdict

        found = preliminary_verdict(wf)
        print_json(found.to_dict()) if json else show(found)
        return
    kept = None if force else wf.verdict
    asked = {"permutations": permutations, "seed": number}
    if kept is None or kept.preliminary or any(kept.settings[name] != value for name, value in asked.items()):
        own = None if strategy is None else reading.read_strategy(strategy, None)
        with stopping.stopped_by_ctrl_c() as cancel:
            kept = judge.verdict(
                wf, bars, permutations=permutations, seed=number, strategy=own, progress=progress and not json,
                workers=reading.configured(workers, "search.workers"), cancel=cancel,
            )  # fmt: skip
    elif not json:
        typer.echo(f"run {wf.id} has this verdict already; --force makes it again", err=True)
    if json:
        print_json(kept.to_dict())
    else:
        show(kept)


def show(verdict: Verdict) -> None:
    """Print a verdict: the conclusion, each question with its checks, what would change it, notes."""
    from rich.text import Text

    from maestro.cli.printing import say, show_notes, styled
    from maestro.validation.verdict.rule import QUESTIONS

    show_conclusion(verdict)
    answers = verdict.answers
    for question, text in QUESTIONS.items():
        typer.echo()
        styled(Text(f"{text} ").append(answers[question], style="bold"))
        checks, left = verdict.checks_of(question)
        for check in checks:
            _show_check(check)
        if left:
            say(f"Not done yet: {', '.join(left)}.", bullet="  ? ")
    if verdict.changes:
        typer.echo()
        styled(Text("Next" if verdict.preliminary else "What would change it", style="bold"))
        for change in verdict.changes:
            say(change, bullet="  ")
    show_notes(verdict.notes)


def show_conclusion(verdict: Verdict) -> None:
    """Print the conclusion, its reason, the summary and the warnings of a verdict."""
    from rich.text import Text

    from maestro.cli.printing import say, styled

    tone = {"robust": "green", "fitted": "red", "inconclusive": "yellow", "not enough data": "yellow"}
    line = Text(verdict.name.upper(), style=f"bold {tone[verdict.conclusion]}")
    styled(line.append(f" {verdict.strategy} on {verdict.series}, run {verdict.run}", style="not bold default"))
    say(verdict.headline)
    if verdict.summary:
        say(verdict.summary)
    for warning in verdict.warnings:
        say(str(warning), bullet="! ")


def _show_check(check: Check) -> None:
    from rich.text import Text

    from maestro.cli.printing import say, styled

    mark, style = {"pass": ("+", "green"), "fail": ("-", "red"), "not done": ("?", "yellow")}[check.outcome]
    line = Text("  ").append(mark, style=style).append(f" {check.title}: ").append(check.value_text, style="bold")
    if check.outcome != "not done":
        line.append(f" ({check.threshold_text})")
    styled(line)
    say(check.meaning, bullet="    ")
