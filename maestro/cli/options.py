"""The options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StrategyName = Annotated[
    str | None,
    typer.Argument(metavar="STRATEGY", help="A name from 'maestro strategies', or path/to/file.py:ClassName."),
]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", help="The strategy, as an option.", metavar="STRATEGY")
]
Data = Annotated[
    str,
    typer.Option(
        "--data", "-d", metavar="NAME", help="sample:AAPL, a CSV or Parquet file, or PROVIDER:SYMBOL:TIMEFRAME."
    ),
]
Symbol = Annotated[str | None, typer.Option(metavar="SYMBOL", help="The symbol to use, if a file has several.")]
Start = Annotated[str | None, typer.Option(metavar="DATE", help="First bar, UTC: 2020, 2020-06 or '2020-06-01 12:00'.")]
End = Annotated[str | None, typer.Option(metavar="DATE", help="Bars before this moment, UTC.")]
Resample = Annotated[str | None, typer.Option(metavar="TIMEFRAME", help="Resample first, such as 1h bars to 4h.")]
PeriodsPerYear = Annotated[
    float | None,
    typer.Option(help="Bars per year for annualising; by default those of the market's calendar.", metavar="N"),
]
Params = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter's value; repeatable."),
]
Space = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="NAME=RANGE",
        help="What to search: fast=5:50, x=0.1:2:0.1 (step) or n=5,8,13; repeatable.",
    ),
]
Trials = Annotated[int | None, typer.Option(metavar="N", help="Parameter sets per fold.  [default: 100]")]
Search = Annotated[str | None, typer.Option(metavar="HOW", help="tpe, random, grid or sobol.  [default: tpe]")]
Select = Annotated[
    str,
    typer.Option(metavar="METRICS", help="What decides, in order; or pareto:, rank_average:, weighted:A=0.7,B=0.3."),
]
Progress = Annotated[bool, typer.Option("--progress/--no-progress", help="Show progress on stderr.")]
Fee = Annotated[float | None, typer.Option(metavar="FRACTION", help="Fee per side; 0.001 is 0.1 %.  [default: 0.001]")]
Slippage = Annotated[
    float | None, typer.Option(metavar="FRACTION", help="Slippage of market orders.  [default: 0.0005]")
]
Venue = Annotated[str | None, typer.Option(metavar="NAME", help="Fee and slippage of a known venue: BINANCE.")]
Cash = Annotated[float, typer.Option(metavar="AMOUNT", help="Starting cash.")]
Sizing = Annotated[
    str,
    typer.Option(
        metavar="KIND:VALUE",
        help="percent:1.0, cash:5000, units:2, volatility:0.2 or risk:1% (lost at the stop); percent:2,3 allows 3 × "
        "equity.",
    ),
]
Fill = Annotated[str, typer.Option(metavar="WHERE", help="next_open, or close (looks ahead; for comparison only).")]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Seed; the same one gives the same result.  [default: 0]")]
Workers = Annotated[int | None, typer.Option(metavar="N", help="How many at once.  [default: all cores]")]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Compute on the Dask cluster at this address: tcp://HOST:8786; none: here."),
]
RunsDir = Annotated[Path | None, typer.Option(metavar="DIR", help="Where runs are kept.  [default: runs]")]
ServiceFolder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="The service's folder.  [default: the setting service.folder]"),
]
ServiceRuns = Annotated[
    Path | None, typer.Option("--runs", metavar="DIR", help="Where runs are kept.  [default: runs in that folder]")
]
Tearsheet = Annotated[bool, typer.Option("--tearsheet/--no-tearsheet", help="Also write the QuantStats tear sheet.")]
Decision = Annotated[
    bool,
    typer.Option("--decision", help="Also compute current parameters, regimes, random entries and paths (seconds)."),
]
BackupEvery = Annotated[
    str | None, typer.Option("--backup", metavar="INTERVAL", help="Back up as often as this: 1d, 6h.  [default: never]")
]
FetchEvery = Annotated[
    str | None, typer.Option("--fetch", metavar="INTERVAL", help="Fetch as often as this: 1h, 15m.  [default: never]")
]
Keep = Annotated[
    int | None,
    typer.Option("--keep", min=1, metavar="N", help="Remove all but the N newest backups.  [default: backup.keep]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for a program.")]


def line_of(ctx: typer.Context, aside: set[str], settled: dict[str, object]) -> str:
    """Line of the shell that gives the same result, here and elsewhere.

    The words of the command, without the options in `aside`, and those in `settled` with the values that count:
    they may come from ``maestro.yaml`` or the environment, which another place does not have.
    """
    import shlex

    words = ctx.command_path.split()
    for option in ctx.command.params:
        name = str(option.name)
        source = ctx.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        value = settled[name] if name in settled else ctx.params.get(name) if given and name not in aside else None
        if value is None or value is False:
            continue
        if option.param_type_name == "argument":
            words += map(str, value) if isinstance(value, (list, tuple)) else [str(value)]
            continue
        flag = max(option.opts, key=len)
        for one in value if isinstance(value, (list, tuple)) else [value]:
            words += [flag] if one is True else [flag, str(one)]
    return shlex.join(words)
