"""``maestro report``: the report of a run that is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, the beginning of one, or its folder.")],
    runs_dir: options.RunsDir = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; report.html in the run's folder unless given.")
    ] = None,
    tearsheet: options.Tearsheet = False,
    json: options.Json = False,
) -> None:
    """Write the report of a run: one HTML file that needs no network."""
    from maestro.cli.printing import print_json
    from maestro.cli.reading import configured
    from maestro.research import load_run

    written = load_run(run, configured(runs_dir, "runs_dir", Path("runs"))).report(out, tearsheet=tearsheet)
    if json:
        print_json({"report": str(written)})
    else:
        typer.echo(str(written.resolve()))
