"""``maestro parity``: do the engines agree, strategy by strategy, series by series?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options

if TYPE_CHECKING:
    from maestro.validation.parity.compare import Parity

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
@takes_file_options
def parity(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STRATEGY", help="Names of 'maestro strategies', or file.py:ClassName; all if none is given."
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data", "-d", metavar="NAME",
            help="sample:AAPL, a CSV or Parquet file, or PROVIDER:SYMBOL:TIMEFRAME; repeatable; with a range of its "
            "own: NAME,START,END.  [default: samples AAPL, IBM, MSFT]",
        ),
    ] = None,
    start: options.Start = None,
    end: options.End = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="vectorbt, backtrader; repeatable.  [default: both]"),
    ] = None,
    default_settings: Annotated[
        bool, typer.Option("--default-settings", help="Also backtrader with default settings, and the effect of ours.")
    ] = False,
    fee: options.Fee = None,
    slippage: options.Slippage = None,
    venue: options.Venue = None,
    cash: options.Cash = 100_000.0,
    sizing: options.Sizing = "percent:1.0",
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page with all tables, in Markdown.")
    ] = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:  # fmt: skip
    """Compare the engines, strategy by strategy, and explain where they differ.

    The exit code is 1 if one does not agree. vectorbt must agree to 1e-9 on every fill, equity value and metric;
    backtrader on metrics within 2 %, on 95 % of the trades within one bar, with a correlation of equity above 0.95.
    """
    from tqdm import tqdm

    from maestro.cli import parsing as reading
    from maestro.cli import printing
    from maestro.reports.output import write_page
    from maestro.strategies import strategies
    from maestro.validation.parity import compare as comparing
    from maestro.validation.parity.page import page

    chosen = [reading.read_strategy(name, None) for name in names or strategies()]
    costs = reading.read_costs(fee, slippage, venue)
    given = data or [f"sample:{name}" for name in comparing.SAMPLES]
    series = []
    for one in given:
        name, *own = (part.strip() for part in one.split(","))
        first, last = (*own, "", "")[:2]
        series.append(reading.read_bars(name, None, first or start, last or end))
    with tqdm(
        total=len(series) * len(chosen), unit="rule", disable=not progress or not sys.stderr.isatty(), delay=0.3
    ) as bar:

        def tell(what: str) -> None:
            bar.set_postfix_str(what, refresh=False)
            bar.update()

        result = comparing.parity(
            series, chosen, engines=engine or ["vectorbt", "backtrader"], default_settings=default_settings,
            costs=costs, sizing=sizing, cash=cash, progress=tell,
        )  # fmt: skip
    if write is not None:
        line = options.line_of(ctx, {"names", "progress", "json"}, {})
        whole = " ".join([ctx.command_path, *(names or []), line.removeprefix(ctx.command_path).strip()])
        write_page(write, page(result, series, whole))
    if json:
        printing.print_json({"passed": result.passed, "rows": result.table.to_dicts()})
    else:
        _show(result, default_settings)
        if write is not None:
            printing.say(f"written to {write}")
    if not result.passed:
        raise typer.Exit(1)


def _show(result: Parity, default_settings: bool) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import say, show_table
    from maestro.validation.parity.compare import DEFAULT_SETTINGS
    from maestro.validation.parity.page import WAYS

    rows = []
    reasons: dict[str, int] = {}
    for row in result.table.iter_rows(named=True):
        plain = row["engine"] == DEFAULT_SETTINGS
        own = [one for one in row["reason"].split("; ") if one]
        marks = [
            one.split(" (")[0]
            if plain and one.split(" (")[0] in WAYS
            else str(reasons.setdefault(one, len(reasons) + 1))
            for one in own
        ]
        rows.append(
            (
                row["strategy"],
                row["series"],
                row["engine"],
                formats.number(row["trades"], 0),
                f"{row['metric_difference']:.0e}",
                f"{row['fill_difference']:.0e}",
                f"{row['equity_difference']:.0e}",
                formats.percent(row["trades_within_a_bar"]),
                formats.number(row["equity_correlation"], 4),
                "yes" if row["passed"] else "no" if plain else "NO",
                " ".join(marks),
            )
        )
    heads = ("strategy", "series", "engine", "trades", "metrics", "fills", "equity", "±1 bar", "corr.", "agrees", "why")
    show_table(heads, rows, left=3)
    for reason, number in reasons.items():
        say(reason, bullet=f"{number}. ")
    if default_settings:
        say("What backtrader does by default:")
        for name, text in WAYS.items():
            say(text, bullet=f"• {name}: ")
    failed = result.failures.height
    say("All agree." if not failed else f"{failed} comparisons do not agree.")
