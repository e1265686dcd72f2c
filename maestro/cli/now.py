"""``maestro now``: the parameters that the run's own search chooses today."""

from __future__ import annotations

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Data, Own, Run, opened_run

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def now_command(
    run: Run, data: Data = None, symbol: options.Symbol = None, strategy: Own = None,
    runs_dir: options.RunsDir = None, json: options.Json = False,
) -> None:  # fmt: skip
    """Choose the current parameters: the run's own search on the most recent training window."""
    from maestro._core import formatting as formats
    from maestro.cli.printing import print_json, say, show_table
    from maestro.decision import now

    wf, bars, cls = opened_run(run, data, symbol, strategy, runs_dir)
    found = now(wf, bars, strategy=cls)
    if json:
        print_json(found.to_dict())
        return
    say(f"{found.strategy} on {found.series}, run {found.run}")
    say(f"trained {formats.moment(found.trained_from)} to {formats.moment(found.trained_until)}")
    typer.echo()
    rows = []
    for row in found.changes.to_dicts():
        chosen = (formats.significant(row[key]) for key in ("lowest", "median", "highest"))
        rows.append((row["parameter"], row["now"], row["last"] or "–", *chosen, formats.percent(row["moved"], 0)))
    show_table(("", "now", "last fold", "lowest", "median", "highest", "moved"), rows)
    say("moved: distance from the last fold's choice, as a share of the searched range")
