"""``maestro sweep``: many parameter sets on the same bars, the best of them listed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options

if TYPE_CHECKING:
    from maestro.bars import Bars
    from maestro.walkforward import Sweep

app = typer.Typer(rich_markup_mode=None, add_completion=False)

SHOWN = ("sharpe_ratio", "total_return", "max_drawdown", "num_trades")


@app.command()
@takes_file_options
def sweep(
    data: options.Data,
    name: options.StrategyName = None,
    strategy: options.StrategyOption = None,
    param: options.Params = None,
    space: options.Space = None,
    n: Annotated[int, typer.Option("-n", "--n", metavar="N", help="Parameter sets.")] = 1_000,
    sampler: Annotated[str, typer.Option(metavar="HOW", help="sobol, random or grid.")] = "sobol",
    select: Annotated[
        str, typer.Option(metavar="METRICS", help="What ranks, in order; -volatility: smaller is better.")
    ] = "sharpe_ratio,vwr",
    top: Annotated[int, typer.Option(metavar="N", min=1, help="Sets to list.")] = 10,
    seed: options.Seed = None,
    symbol: options.Symbol = None,
    start: options.Start = None,
    end: options.End = None,
    resample: options.Resample = None,
    periods_per_year: options.PeriodsPerYear = None,
    fee: options.Fee = None,
    slippage: options.Slippage = None,
    venue: options.Venue = None,
    cash: options.Cash = 100_000.0,
    sizing: options.Sizing = "percent:1.0",
    fill: options.Fill = "next_open",
    workers: options.Workers = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all sets, as CSV or Parquet by the name's ending.")
    ] = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Simulate many parameter sets on the same bars and rank them.

    The best of many sets is partly luck; walk-forward tells how much.
    """
    from tqdm import tqdm

    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.cli import printing
    from maestro.walkforward import Selection
    from maestro.walkforward.sweep import sweep as run_sweep

    chosen = reading.read_strategy(name, strategy)
    params = reading.read_params(chosen, param)
    ranges = reading.read_space(chosen, space, params)
    write = printing.table_writer(out, ("sharpe_ratio", "error"))
    ranking = Selection.of(tuple(one.strip() for one in select.split(",")))
    costs = reading.read_costs(fee, slippage, venue)
    bars = reading.read_bars(data, symbol, start, end, resample, periods_per_year)
    number = reading.configured(seed, "search.seed")
    live = sys.stderr.isatty()
    with (
        stopping.stopped_by_ctrl_c() as cancel,
        tqdm(
            total=n, unit="set", disable=not progress, dynamic_ncols=live, mininterval=0.1 if live else 10.0, delay=0.3
        ) as bar,
    ):
        result = run_sweep(
            bars, chosen, n=n, sampler=sampler, seed=number, params=params, space=ranges, costs=costs, sizing=sizing,
            cash=cash, fill=fill, cancel=cancel, progress=bar.update,  # type: ignore[arg-type]
            workers=reading.configured(workers, "search.workers"),
        )  # fmt: skip
        bar.update(len(result) - bar.n)  # equal sets are computed once
    write(result.table)
    if json:
        best = result.best(ranking, top)
        document = {"strategy": chosen.__name__, "bars": printing.describe_bars(bars), "sets": len(result)}
        printing.print_json({**document, "distinct": result.distinct, "seed": number, "best": best.to_dicts(),
                             "notes": [*bars.notes, *result.notes]})  # fmt: skip
    else:
        _show(result, bars, ranking, top)


def _show(result: Sweep, bars: Bars, ranking: Any, top: int) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import bars_line, columns, say, short, show_notes, show_table

    say(f"{result.space.strategy.__name__} on {bars_line(bars)}")
    say(bars.calendar.text)
    say(f"{len(result):,} sets, {result.distinct:,} of them distinct, over {result.space.describe()}\n")
    typer.echo()
    names = list(result.space.names)
    keys = list(dict.fromkeys((*(one.removeprefix("-") for one in ranking.metrics), *SHOWN)))
    best = list(result.best(ranking, top).iter_rows(named=True))
    figures = [[formats.metric(key, row[key]) for key in keys] for row in best]
    sets = [[formats.significant(row[one]) for one in names] for row in best]
    heads = [short(key) for key in keys]
    wide = sum(max(len(one), 8) + 3 for one in (*names, *heads)) + 4 > columns()
    if wide:  # one column for all parameters, which may take several lines
        names, sets = ["set"], [[", ".join(map(" ".join, zip(names, row, strict=True)))] for row in sets]
    rows = [(str(k), *one, *other) for k, (one, other) in enumerate(zip(sets, figures, strict=True), 1)]
    show_table(("", *names, *heads), rows, left=2 if wide else 1)
    failed = len(result) - result.table["error"].null_count()
    if failed and not any("failed" in note for note in result.notes):
        first = result.table["error"].drop_nulls()[0]
        say(f"{failed:,} sets failed and have no figures; the first error: {first}", bullet="! ")
    show_notes(note for note in (*bars.notes, *result.notes) if note != bars.calendar.text)
    say("The best of many sets is partly luck; to find out how much, run maestro walk-forward.")
