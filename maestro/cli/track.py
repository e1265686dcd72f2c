"""``maestro track``: live fills compared with the run's expectations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Own, Run, opened_run

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def track_command(
    run: Run,
    fills: Annotated[Path, typer.Option(metavar="FILE", help="CSV: timestamp, side, size, price and fee.")],
    data: Annotated[str, typer.Option("--data", "-d", metavar="NAME", help="The run's bars followed by newer ones.")],
    symbol: options.Symbol = None, strategy: Own = None, runs_dir: options.RunsDir = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of the bootstrap.")
    ] = 0,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Compare live fills with the expectations of a run."""
    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say, show_table
    from maestro.decision import read_fills, track

    wf, bars, cls = opened_run(run, data, symbol, strategy, runs_dir)
    found = track(wf, read_fills(fills), bars, strategy=cls, seed=seed)
    if json:
        print_json(found.to_dict())
        return
    say(found.summary)
    typer.echo()
    show_table(
        ("", "live", "model"),
        [
            ("Return", formats.percent(found.live_return, sign=True), formats.percent(found.model_return, sign=True)),
            ("Position", formats.significant(found.position), formats.significant(found.model_position)),
            ("Fills", str(len(found.fills)), str(len(found.model_fills))),
        ],
    )
