"""``maestro runs``: list, show, annotate, export and remove recorded runs and the backtests that a service keeps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.groups import group
from maestro.cli.recorded import Run, found_run, named

app = group(
    "List, show, annotate, export and remove runs on disk.",
)

Stored = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of a run or backtest, the beginning of one, or its folder.")
]


def _folder(given: Path | None) -> Path:
    from maestro.cli.parsing import configured

    folder: Path = configured(given, "runs_dir")
    return folder


@app.command("list")
def list_(runs_dir: options.RunsDir = None, json: options.Json = False) -> None:
    """List the runs, pinned ones and then the newest first, and the backtests that a service keeps."""
    from maestro.cli.parsing import option_of
    from maestro.cli.printing import columns, print_json, show_table
    from maestro.runs import list_backtests, list_runs

    folder = _folder(runs_dir)
    table, backtests = list_runs(folder), list_backtests(folder)
    if json:
        print_json([{"kind": "walk-forward", **row} for row in table.iter_rows(named=True)]
                   + [{"kind": "backtest", **row} for row in backtests.iter_rows(named=True)])  # fmt: skip
        return
    if table.is_empty() and backtests.is_empty():
        make = f"maestro walk-forward EmaCrossStrategy --data sample:AAPL{option_of(folder)}"
        typer.echo(f"No run in {folder}. Make one: {make}")
        return
    wide = columns() >= 100
    table = table.sort("pinned", descending=True, nulls_last=True, maintain_order=True)
    tagged = wide and (table["tags"].list.len() > 0).any()
    rows = []
    for row in table.iter_rows(named=True):
        when = ((row["started"] or "–")[:16].replace("T", " "),) if wide else ()
        tags = (", ".join(row["tags"] or ()),) if tagged else ()
        name = f"{row['id']}{' *' if row['pinned'] else ''}"
        rows.append((name, row["strategy"] or "–", row["bars"] or "–", *when, *tags, *_figures(row)))
    extra = (*(("started, UTC",) if wide else ()), *(("tags",) if tagged else ()))
    heads = ("run", "strategy", "bars", *extra, "Sharpe", "return")
    if rows:
        show_table(heads, rows, left=len(heads) - 2)
        if table["pinned"].any():
            typer.echo("* pinned")
    rows = []
    for row in backtests.iter_rows(named=True):
        when = (f"{row['written']:%Y-%m-%d %H:%M}",) if wide else ()
        rows.append((row["id"], row["strategy"] or "–", row["bars"] or "–", *when, *_figures(row)))
    if rows:
        typer.echo("" if table.is_empty() else "\n", nl=False)
        show_table(("backtest", *heads[1:3], *(("written, UTC",) if wide else ()), *heads[-2:]), rows, left=3 + wide)


def _figures(row: dict[str, Any]) -> tuple[str, str]:
    """Sharpe ratio and return; the status in their place where there is no result."""
    from maestro._core import formatting as formats

    if row["status"] != "done":
        return row["status"], ""
    return formats.metric("sharpe_ratio", row["sharpe_ratio"]), formats.metric("total_return", row["total_return"])


@app.command()
def show(run: Stored, runs_dir: options.RunsDir = None, json: options.Json = False) -> None:
    """Show the results of a run or backtest, and the command that repeats a run."""
    from maestro.cli import backtest, walk_forward
    from maestro.cli.printing import print_json
    from maestro.runs import find_stored
    from maestro.runs.backtests import BacktestStore
    from maestro.walkforward.result import load_run

    stored = named(find_stored, run, runs_dir)
    if isinstance(stored, BacktestStore):
        result = stored.load()
        if json:
            print_json({"id": stored.id, **backtest.document(result)})
            return
        backtest.show(result)
        typer.echo(f"\n{stored.folder}")
        return
    wf = load_run(stored.folder)
    if json:
        print_json(walk_forward.document(wf))
        return
    walk_forward.show(wf)
    typer.echo(f"\n{wf.folder}\n{wf.manifest.get('command') or wf.manifest['python']}")


@app.command()
def export(
    run: Run,
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="run.xlsx, or a folder of files: run.csv or run.parquet.")
    ],
    form: Annotated[
        str | None, typer.Option(metavar="FORM", help="xlsx, csv or parquet, in place of the ending.")
    ] = None,
    runs_dir: options.RunsDir = None,
    json: options.Json = False,
) -> None:
    """Write a run's tables for other programs: an Excel workbook with charts, or CSV or Parquet files."""
    from maestro.cli.printing import print_json

    written = found_run(run, runs_dir).export(to, form=form)
    if json:
        print_json({"export": str(written)})
    else:
        typer.echo(str(written.resolve()))


@app.command()
def remove(
    run: Stored,
    runs_dir: options.RunsDir = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
) -> None:
    """Move a run or backtest to the trash; maestro runs trash restores it or deletes it for good."""
    from maestro.cli.parsing import option_of
    from maestro.cli.printing import print_json
    from maestro.runs import find_stored
    from maestro.runs import remove as remove_run

    folder = _folder(runs_dir)
    store = named(find_stored, run, folder)
    if not yes:
        _confirm(f"Move {store.folder} to the trash?")
    place = remove_run(run, folder)
    _tell_the_service(store.id, folder, kept=False)
    if json:
        print_json({"removed": str(store.folder), "trash": str(place)})
    else:
        where = option_of(place.parents[1])
        typer.echo(f"removed {store.folder}\nTo restore it: maestro runs trash restore {place.name}{where}")


def _tell_the_service(run: str, runs_dir: Path, *, kept: bool) -> None:
    """Note on the jobs of a run of the service whether it is on disk; other folders of runs have no jobs."""
    from maestro.service.jobs import Database, Queue
    from maestro.service.jobs.database import FILE

    folder = runs_dir.resolve().parent
    if (folder / FILE).exists():
        Queue(Database(folder)).set_kept(run, kept)


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"there is no terminal to confirm at; give --yes. {question}")
    typer.confirm(question, abort=True, err=True)


@app.command()
def tag(
    run: Run,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Tags to add.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove these tags instead.")] = False,
    runs_dir: options.RunsDir = None,
    json: options.Json = False,
) -> None:
    """Add tags to a run, or remove them; the Runs app shows and finds them."""
    _annotated(run, runs_dir, json, **{"remove" if remove else "add": tags})


@app.command()
def note(
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Replaces the note; '' removes it.")],
    runs_dir: options.RunsDir = None,
    json: options.Json = False,
) -> None:
    """Write a note to a run."""
    _annotated(run, runs_dir, json, note=text)


@app.command()
def pin(
    run: Run,
    off: Annotated[bool, typer.Option("--off", help="Unpin it.")] = False,
    runs_dir: options.RunsDir = None,
    json: options.Json = False,
) -> None:
    """Pin a run, so that it is listed first, here and in the Runs app."""
    _annotated(run, runs_dir, json, pinned=not off)


def _annotated(run: str, runs_dir: Path | None, json: bool, **changes: Any) -> None:
    from dataclasses import asdict

    from maestro.cli.printing import print_json
    from maestro.runs import annotate, find

    store = named(find, run, runs_dir)
    made = annotate(store.folder, **changes)
    if json:
        print_json({"run": store.id, **asdict(made)})
        return
    lines = [f"tags: {', '.join(made.tags) or 'none'}", f"note: {made.note or 'none'}"]
    typer.echo(f"{store.id}{' (pinned)' if made.pinned else ''}\n" + "\n".join(lines))


trash = group(
    "List, restore or delete removed runs.",
)
app.add_typer(trash, name="trash")


@trash.command("list")
def trash_list(runs_dir: options.RunsDir = None, json: options.Json = False) -> None:
    """List the removed runs, the latest removal first."""
    from maestro.cli.printing import print_json, show_table
    from maestro.runs import trashed

    folder = _folder(runs_dir)
    table = trashed(folder)
    if json:
        print_json(table.to_dicts())
    elif table.is_empty():
        typer.echo(f"No run is in the trash of {folder}.")
    else:
        rows = [(name, f"{when:%Y-%m-%d %H:%M}", strategy or "–", bars or "–")
                for name, _, when, strategy, bars, _ in table.iter_rows()]  # fmt: skip
        show_table(("name", "removed, UTC", "strategy", "bars"), rows, left=4)


@trash.command()
def restore(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name in the list, or an id: its latest removal.")],
    runs_dir: options.RunsDir = None,
    json: options.Json = False,
) -> None:
    """Move a removed run back."""
    from maestro.cli.printing import print_json
    from maestro.runs import restore as restore_run
    from maestro.runs.trash import find_trashed

    base = _folder(runs_dir)
    named(find_trashed, run, base)
    folder = restore_run(run, base)
    _tell_the_service(folder.name, base, kept=True)
    if json:
        print_json({"restored": str(folder)})
    else:
        typer.echo(f"restored {folder}")


@trash.command()
def empty(
    runs_dir: options.RunsDir = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: options.Json = False,
) -> None:
    """Delete all removed runs for good."""
    from maestro.cli.printing import print_json
    from maestro.runs import empty_trash, trashed

    folder = _folder(runs_dir)
    count = len(trashed(folder))
    if count and not yes:
        _confirm(f"Delete {count} removed run{'' if count == 1 else 's'} in {folder} for good?")
    names = empty_trash(folder)
    if json:
        print_json({"deleted": names})
    else:
        typer.echo(f"deleted {len(names)} removed run{'' if len(names) == 1 else 's'} from {folder}")
