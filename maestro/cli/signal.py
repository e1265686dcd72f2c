"""``maestro signal``: the orders for the next bar, for a program."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options
from maestro.cli.recorded import Data, Own, Run, opened_run

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def signal_command(
    run: Run, data: Data = None, symbol: options.Symbol = None, strategy: Own = None,
    runs_dir: options.RunsDir = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of the bootstrap.")
    ] = 0,
) -> None:  # fmt: skip
    """Print the orders for the next bar, as JSON.

    The strategy trades the bars since the training window with the current parameters. The document has the position,
    orders with their levels, costs, sizing, and the expected band for the next test window.
    """
    from maestro.cli.printing import print_json
    from maestro.decision import signal

    wf, bars, cls = opened_run(run, data, symbol, strategy, runs_dir)
    print_json(signal(wf, bars, strategy=cls, seed=seed).to_dict())
