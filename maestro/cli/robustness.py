"""``maestro robustness``: what small changes do to a run, in words, tables and one HTML file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Own, Run, opened_run

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def robustness(
    run: Run,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="PART", help="neighbourhood, geometry, costs or perturbations; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write maps and tables, one HTML file.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", "-d", metavar="NAME", help="Bars to use in place of the recorded source.")
    ] = None,
    symbol: options.Symbol = None,
    strategy: Own = None,
    runs_dir: options.RunsDir = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Measure how much small changes of parameters, windows, costs and bars affect a run.

    Takes seconds. Nothing is chosen, and no trial is counted.
    """
    from maestro.cli import interrupts as stopping
    from maestro.reports.page import robustness as page
    from maestro.reproduce.bars import recorded_bars

    wf, given, cls = opened_run(run, data, symbol, strategy, runs_dir)
    bars = recorded_bars(wf, given)
    with stopping.stopped_by_ctrl_c() as cancel:
        found = page.measure(
            wf, bars, parts=tuple(part) if part else page.PARTS, strategy=cls, cancel=cancel,
            progress=progress and sys.stderr.isatty(),
        )  # fmt: skip
    written = None if out is None else page.write_robustness(wf, out, found)
    if json:
        from maestro.cli.printing import print_json

        print_json({"id": wf.id, "page": written, **{name: page.document(one) for name, one in found.items()}})
        return
    from maestro.cli.printing import say, show_notes

    say(f"{wf.spec.title}, run {wf.id}")
    for section in page.sections(found):
        typer.echo()
        say(f"{section.title}: {section.words}")
        show_notes(section.notes)
    if written is not None:
        typer.echo(f"\n{written.resolve()}")
