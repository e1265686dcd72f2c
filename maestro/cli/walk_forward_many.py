"""``maestro walk-forward-many``: strategies on many series, significance over all of them, and the report."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from maestro.walkforward.many import Cell, WalkForwards

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_ASIDE = {"venue", "workers", "cluster", "runs_dir", "report", "force", "progress", "json", "top", "out"}


@app.command()
def walk_forward_many(
    ctx: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(metavar="STRATEGY...", help="Names of 'maestro strategies', file.py:ClassName, or all."),
    ],
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            "-d",
            metavar="NAME",
            help="A folder, a file with a symbol column, PROVIDER:*:TIMEFRAME, or a single series; repeatable.",
        ),
    ],
    symbols: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="Only this one; repeatable.")
    ] = None,
    timeframes: Annotated[
        list[str] | None,
        typer.Option("--timeframe", metavar="TIMEFRAME", help="Resample each series to this; repeatable."),
    ] = None,
    membership: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or Parquet with symbol, listed, delisted: bars outside are left out."),
    ] = None,
    splitter: Annotated[
        str, typer.Option(metavar="KIND:…", help="calendar:6mo,1mo begins at the same dates on all; or rolling:10,2,1.")
    ] = "rolling:10,2,1",
    trials: options.Trials = None,
    search: options.Search = None,
    select: options.Select = "sharpe_ratio,vwr",
    seed: options.Seed = None,
    start: options.Start = None,
    end: options.End = None,
    periods_per_year: options.PeriodsPerYear = None,
    fee: options.Fee = None,
    slippage: options.Slippage = None,
    venue: options.Venue = None,
    cash: options.Cash = 100_000.0,
    sizing: options.Sizing = "percent:1.0",
    fill: options.Fill = "next_open",
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    runs_dir: options.RunsDir = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again even if a run exists.")] = False,
    accept_defects: Annotated[
        bool, typer.Option("--accept-defects", help="Run also on series with a fatal defect.")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the page, one HTML file.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as .csv or .parquet.")] = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="Rows to print, the best first.")] = 15,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Run strategies on many series, and estimate how many good results are due to chance.

    Each walk-forward is kept when it ends: the same command continues where it was stopped.
    """
    from maestro.bars.universe import universe
    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.cli.printing import table_writer
    from maestro.strategies import strategies
    from maestro.walkforward.many import walk_forward_many as run_many

    write = table_writer(out, ("symbol", "timeframe", "strategy", "p_adjusted"))
    found = universe(
        data[0] if len(data) == 1 else data, symbols=symbols, start=start, end=end, periods_per_year=periods_per_year,
        membership=None if membership is None else read_membership(membership),
    )  # fmt: skip
    chosen = strategies() if names == ["all"] else [reading.read_strategy(name, None) for name in names]
    costs = reading.read_costs(fee, slippage, venue)
    settled = {
        "trials": reading.configured(trials, "search.trials"),
        "search": reading.configured(search, "search.method"),
        "seed": reading.configured(seed, "search.seed"),
    }
    prices = {"fee": costs.fee, "slippage": costs.slippage} if venue else {}
    folder = reading.configured(runs_dir, "runs_dir")
    with stopping.stopped_by_ctrl_c() as cancel, reading.executor_of(cluster) as executor:
        many = run_many(
            found, chosen, timeframes=timeframes, splitter=splitter, **settled, costs=costs, sizing=sizing, cash=cash,
            fill=fill, select=select,  # type: ignore[arg-type]
            workers=reading.configured(workers, "search.workers"), executor=executor, runs_dir=folder,
            progress=progress and (sys.stderr.isatty() or _Teller()), cancel=cancel, force=force,
            accept_defects=accept_defects, command=options.line_of(ctx, _ASIDE, {**settled, **prices}),
        )  # fmt: skip
    written = None if report is None else many.report(report)
    write(many.table)
    if json:
        from maestro.cli.printing import print_json

        print_json(document(many, written))
        return
    show(many, top)
    typer.echo(f"\nThe runs are kept in {folder} ({many.seconds:.1f} s); the list of them is {many.id}.")
    for path in filter(None, (written, out)):
        typer.echo(str(path.resolve()))


class _Teller:
    """Says how far it is on stderr, every ten seconds: for logs, where a bar is of no use."""

    def __init__(self) -> None:
        self._next = 10.0

    def __call__(self, progress: Any) -> None:
        if progress.seconds >= self._next:
            self._next = progress.seconds + 10.0
            left = f", about {progress.remaining:,.0f} s left" if progress.rate else ""
            typer.echo(f"{progress.done:,} of {progress.total:,} ({progress.rate:.1f} per second{left})", err=True)


def read_membership(path: Path) -> Any:
    """Table of a membership file.

    Raises
    ------
    SettingsError
        It is not there, or not a table.
    """
    import polars as pl

    from maestro.errors import SettingsError

    if not path.is_file():
        raise SettingsError(f"there is no file {path}; give a table with symbol, listed, delisted.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, schema_overrides=dict.fromkeys(("symbol", "listed", "delisted"), pl.String))
    except pl.exceptions.PolarsError as error:
        why = str(error).splitlines()[0]
        raise SettingsError(
            f"{path} cannot be read ({why}); give CSV or Parquet with symbol, listed, delisted."
        ) from error


def document(many: WalkForwards, report: Path | None = None) -> dict[str, Any]:
    """Everything that a program may need."""
    found = many.significance
    return {
        "id": many.id,
        "folder": many.folder and str(many.folder),
        "report": report and str(report),
        "sentence": found.sentence,
        "tested": found.tested,
        "below": found.below,
        "expected": found.expected,
        "remaining": found.remaining.to_dicts(),
        "best": found.best,
        "table": many.table.to_dicts(),
        "errors": [{**_named(cell), "error": why} for cell, why in many.errors.items()],
        "notes": many.notes,
        "seconds": many.seconds,
    }


def _named(cell: Cell) -> dict[str, str]:
    return {"symbol": cell.symbol, "timeframe": cell.timeframe, "strategy": cell.strategy}


def show(many: WalkForwards, top: int) -> None:
    """Print the sentence, the best rows, what failed, and the notes."""
    from maestro.cli.printing import say, show_notes, show_table
    from maestro.reports.many.html import HEAD, cells_of, ranked

    found = many.significance
    say(found.sentence)
    say(found.best_in_words)
    typer.echo()
    rows = [cells_of(row) for row in ranked(many).head(min(top, len(many))).iter_rows(named=True)]
    if rows:
        show_table(HEAD, rows, left=3)
    more = len(many) - len(rows)
    if more > 0:
        say(f"and {more:,} more; --top {len(many)} prints them, --report FILE writes the page")
    by_reason: dict[str, list[Cell]] = {}
    for cell, why in many.errors.items():
        by_reason.setdefault(re.sub(rf"\b{re.escape(cell.symbol)}\b", "SYMBOL", why), []).append(cell)
    for cells in sorted(by_reason.values(), key=len, reverse=True)[:5]:
        others = f" and {len(cells) - 1:,} more" if len(cells) > 1 else ""
        say(f"failed: {cells[0].text}{others}: {many.errors[cells[0]]}", bullet="! ")
    if len(by_reason) > 5:
        say(f"{len(by_reason) - 5:,} other reasons are in the table", bullet="! ")
    show_notes(many.notes)
