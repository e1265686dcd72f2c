"""``maestro walk-forward``: search, choose and test, fold by fold; the preliminary verdict; the report."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.file_options import takes_file_options

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward

app = typer.Typer(rich_markup_mode=None, add_completion=False)

# Options that change where and how a run is made, not its result: they are not part of the line that reproduces it.
_ASIDE = {"venue", "workers", "cluster", "runs_dir", "report", "tearsheet", "decision", "force", "progress", "json"}
COMPARED = ("annual_return", "volatility", "max_drawdown", "sharpe_ratio", "sortino_ratio", "vwr")


@app.command()
@takes_file_options
def walk_forward(
    ctx: typer.Context,
    data: options.Data,
    name: options.StrategyName = None,
    strategy: options.StrategyOption = None,
    param: options.Params = None,
    space: options.Space = None,
    splitter: Annotated[
        str,
        typer.Option(
            metavar="KIND:…",
            help="rolling:10,2,1 (splits, folds to train, to test), expanding:10, adaptive:10,2, "
            "calendar:6mo,1mo or on-regime:6mo,0.9,3,2w,3mo; gaps follow: purge=24,embargo=6.",
        ),
    ] = "rolling:10,2,1",
    trials: options.Trials = None,
    search: options.Search = None,
    select: options.Select = "sharpe_ratio,vwr",
    warm_start: Annotated[
        bool, typer.Option("--warm-start", help="Start with the choice of the previous fold.")
    ] = False,
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
    cluster: options.Cluster = None,
    runs_dir: options.RunsDir = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again even if the run exists.")] = False,
    accept_defects: Annotated[
        bool, typer.Option("--accept-defects", help="Run also on data with a fatal defect (maestro data check).")
    ] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report, one HTML file.")] = None,
    tearsheet: options.Tearsheet = False,
    decision: options.Decision = False,
    progress: options.Progress = True,
    json: options.Json = False,
) -> None:
    """Choose parameters on past bars, test them on later ones, fold by fold.

    A run that exists is loaded; one that was interrupted goes on at the missing fold.
    """
    from maestro.cli import interrupts as stopping
    from maestro.cli import parsing as reading
    from maestro.execution import events
    from maestro.walkforward import ProgressBar
    from maestro.walkforward import run as research

    if tearsheet and report is None:
        raise typer.BadParameter("--tearsheet is written beside the report; say where with --report FILE", ctx)
    if decision and report is None:
        raise typer.BadParameter("--decision is a part of the report; say where with --report FILE", ctx)
    server = ctx.find_root().params.get("server")
    chosen = reading.read_strategy(name, strategy)
    params = reading.read_params(chosen, param)
    ranges = reading.read_space(chosen, space, params)
    costs = reading.read_costs(fee, slippage, venue)
    settled = {
        "trials": reading.configured(trials, "search.trials"),
        "search": reading.configured(search, "search.method"),
        "seed": reading.configured(seed, "search.seed"),
    }
    folder = reading.configured(runs_dir, "runs_dir")
    prices = {"fee": costs.fee, "slippage": costs.slippage} if venue else {}
    seen: list[Any] = []
    listeners: list[Any] = [seen.append]
    if progress:
        listeners.append(ProgressBar(mininterval=0.1 if sys.stderr.isatty() else 10.0))
    began = time.perf_counter()
    how: dict[str, Any] = {
        "splitter": splitter, **settled, "params": params, "space": ranges, "costs": costs, "sizing": sizing,
        "cash": cash, "fill": fill, "select": select, "warm_start": warm_start, "accept_defects": accept_defects,
    }  # fmt: skip
    if server:
        from maestro.cli.remote import run_on_server

        if force or workers is not None or cluster is not None or symbol is not None:
            refused = "--force, --workers, --cluster and --symbol mean nothing to a service; leave them out"
            raise typer.BadParameter(refused, ctx)
        how |= {"start": start, "end": end, "resample": resample, "periods_per_year": periods_per_year}
        wf = run_on_server(server, data, chosen.__name__, folder, progress=progress, settings=how)
    else:
        bars = reading.read_bars(data, symbol, start, end, resample, periods_per_year)
        with stopping.stopped_by_ctrl_c() as cancel, reading.executor_of(cluster) as executor:
            wf = research.walk_forward(
                bars, chosen, **how, workers=reading.configured(workers, "search.workers"), executor=executor,
                runs_dir=folder, progress=listeners, cancel=cancel, force=force,
                command=options.line_of(ctx, _ASIDE, {**settled, **prices}),
            )  # fmt: skip
    if not server and not any(isinstance(event, events.RunStarted) for event in seen):
        typer.echo(f"run {wf.id} was there already and is loaded; --force computes it again", err=True)
    measured: dict[str, Any] = (
        {"decision": True, "bars": None if server else bars, "strategy": chosen} if decision else {}
    )
    written = None if report is None else wf.report(report, tearsheet=tearsheet, **measured)
    if json:
        from maestro.cli.printing import print_json

        print_json(document(wf, written))
    else:
        show(wf)
        _tell_where(wf, folder, written, time.perf_counter() - began)


def document(wf: WalkForward, report: Path | None = None) -> dict[str, Any]:
    """Everything about a run that a program may need."""
    from maestro.validation.verdict.preliminary import current_verdict

    return {
        "id": wf.id,
        "folder": wf.folder and str(wf.folder),
        "report": report and str(report),
        "metrics": wf.metrics,
        "benchmark": wf.benchmark,
        "efficiency": wf.efficiency,
        "verdict": current_verdict(wf)[0].to_dict(),
        "folds": wf.folds.to_dicts(),
        "spec": wf.spec.to_dict(),
        "calendar": wf.calendar,
        "seconds": wf.manifest.get("seconds"),
        "command": wf.manifest.get("command"),
        "notes": wf.notes,
    }


def show(wf: WalkForward) -> None:
    """Print a run: the verdict first, then the metrics, then the folds."""
    from maestro._core import formatting as formats
    from maestro.cli.printing import say, show_notes, show_table
    from maestro.cli.verdict import show_conclusion
    from maestro.validation.verdict.preliminary import current_verdict
    from maestro.walkforward.selection import Selection

    spec, bars = wf.spec, wf.spec.bars
    say(f"{spec.title}: {bars.n:,} bars, {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d}")
    if wf.calendar:
        say(wf.calendar)
    search = spec.search if isinstance(spec.search, str) else spec.search.name
    chosen = Selection.from_spec(spec.selection).text
    folds = formats.plural(len(wf.folds), "fold")
    say(f"{folds}, {spec.trials:,} trials each by {search}, chosen by {chosen}, seed {spec.seed}")
    verdict, unread = current_verdict(wf)
    typer.echo()
    show_conclusion(verdict)
    if unread:
        say(unread, bullet="! ")
    typer.echo()
    good = wf.folds.drop_nulls("oos_total_return")
    if len(good):
        rows = []
        for key in COMPARED:
            inside = wf.in_sample_annual_return if key == "annual_return" else good[f"is_{key}"].mean()
            cells = (inside, wf.metrics[key], wf.benchmark[key])
            rows.append((formats.label(key), *(formats.metric(key, cell) for cell in cells)))
        show_table(("", "in sample*", "out of sample", "buy and hold"), rows)
        say("* of the chosen parameters: the annual return compounds over the folds, the others are means")
        typer.echo()
    _show_folds(wf)
    show_notes(note for note in verdict.notes if note != wf.calendar)


def _show_folds(wf: WalkForward) -> None:
    from maestro._core import formatting as formats
    from maestro.cli.printing import say, show_table

    searched = list(wf.spec.space)
    rows = []
    for row in wf.folds.iter_rows(named=True):
        window = formats.moment(row["test_start"])
        values = ", ".join(f"{one} {formats.significant(row[one])}" for one in searched if row[one] is not None)
        figures = [("sharpe_ratio", "is_"), ("sharpe_ratio", "oos_"), ("total_return", "oos_"), ("num_trades", "oos_")]
        cells = [formats.metric(key, row[f"{part}{key}"]) for key, part in figures]
        rows.append((str(row["fold"]), window, values or "none", *cells))
    show_table(("fold", "tested from", "chosen", "IS Sharpe", "OOS Sharpe", "OOS return", "trades"), rows, left=3)
    for row in wf.failed_folds.iter_rows(named=True):
        say(f"fold {row['fold']} failed: {row['error']}", bullet="! ")


def _tell_where(wf: WalkForward, runs_dir: Path, report: Path | None, seconds: float) -> None:
    from maestro.cli.parsing import option_of

    typer.echo(f"\nRun {wf.id} is kept in {wf.folder} ({seconds:.1f} s).")
    elsewhere = option_of(runs_dir)
    typer.echo(f"All checks: maestro verdict {wf.id}{elsewhere}")
    if report is None:
        typer.echo(f"Report: maestro report {wf.id}{elsewhere}")
    else:
        typer.echo(str(report.resolve()))
