"""``maestro data migrate``: copy the old RethinkDB database into a store, verify it, or roll it back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.data.target import opened

if TYPE_CHECKING:
    from maestro.data.legacy import MigrationReport, Progress, RollbackReport


def migrate(
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PLACE", help="rethinkdb://[USER[:PASSWORD]@]HOST[:PORT][/DB], a dump, or an export."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="STORE", help="parquet, parquet:FOLDER, questdb://HOST:PORT; else as configured."),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            "--table", metavar="TABLE[=SERIES]", help="Only this table; =PROVIDER:SYMBOL:1h names its series. Repeat."
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="TABLE=SERIES", help="Names a table's series, and moves the others too. Repeat."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, check and compare; write nothing.")] = False,
    stamps: Annotated[str, typer.Option(help="Which end of the bar the timestamps are: open or close.")] = "open",
    duplicates: Annotated[
        str, typer.Option(help="Of documents with one timestamp and different values: reject, first or last.")
    ] = "reject",
    volume: Annotated[
        float | None, typer.Option(metavar="NUMBER", help="Stands where a document has no volume.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave rows of the store that have other values; else they are replaced.")
    ] = False,
    batch: Annotated[int, typer.Option(metavar="ROWS", help="Rows per write.")] = 50_000,
    again: Annotated[bool, typer.Option("--again", help="Start again; do not continue an interrupted one.")] = False,
    rollback: Annotated[
        str | None, typer.Option("--rollback", metavar="ID", help="Take back what that migration wrote, nothing else.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the migrations so far.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the report here: .md or .json.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json: options.Json = False,
) -> int:
    """Move the old RethinkDB tables, or a dump of them, into a store; run the same again to go on.

    Every row is compared afterwards. Exit code 1: a table failed, or documents are not rows and are not migrated.
    """
    from maestro.errors import SettingsError

    if [source is not None, rollback is not None, listed].count(True) != 1:
        raise SettingsError("give one of: --from PLACE to move, --rollback ID to take back, --list to look.")
    if report is not None and report.suffix not in (".md", ".json"):
        raise SettingsError(f"--report {report} has another ending than .md or .json; choose one of them.")
    if report is not None:
        from maestro.reports.output import refuse_foreign

        refuse_foreign(report, _is_report, "the report of a migration")
    if listed:
        return _list(json)
    if rollback is not None:
        return _roll_back(rollback, target, quiet, json)
    assert source is not None
    from maestro.data.legacy import Choices, migrate, open_legacy

    wanted, names = _tables(table or [], name or [])
    choices = Choices(stamps, duplicates, volume)
    with closing(open_legacy(source)) as old, opened(target) as store, _progress(quiet) as progress:
        try:
            done = migrate(
                old,
                store,
                tables=wanted,
                names=names,
                choices=choices,
                existing="keep" if keep else "replace",
                dry_run=dry_run,
                again=again,
                batch=batch,
                progress=progress,
            )
        except KeyboardInterrupt:
            typer.echo("\nwhat was moved is kept; run the same again to go on", err=True)
            raise
    if report is not None:
        from maestro._core.json import dumps
        from maestro.reports.output import write_text

        content = done.to_markdown() if report.suffix == ".md" else dumps(done.to_dict(), indent=1)
        write_text(report, content)
    if json:
        from maestro.cli.printing import print_json

        print_json(done.to_dict())
    else:
        _show(done)
    return 0 if done.complete else 1


def _is_report(head: bytes) -> bool:
    return head.startswith(b"# Migration") or (head.startswith(b"{") and b'"dry_run"' in head)


def _tables(table: list[str], name: list[str]) -> tuple[list[str], dict[str, str]]:
    """Tables that are asked for, and the names of series that are given."""
    from maestro.errors import SettingsError

    names: dict[str, str] = {}
    for pair in [*(one for one in table if "=" in one), *name]:
        own, equals, series = pair.partition("=")
        if not (own and equals and series) or own in names:
            raise SettingsError(f"{pair!r} is not understood; write TABLE=PROVIDER:SYMBOL:1h, once for each table.")
        names[own] = series
    return [one.partition("=")[0] for one in table], names


def _roll_back(name: str, target: str | None, quiet: bool, json: bool) -> int:
    from maestro.cli.printing import print_json
    from maestro.data.legacy import rollback
    from maestro.data.legacy.journal import reopen
    from maestro.data.legacy.migration import migrations_folder

    if target is None:
        with reopen(migrations_folder(), name) as migration:
            target = _place(migration.manifest["target"])
    with opened(target) as store, _progress(quiet) as progress:
        done = rollback(name, store, progress=progress)
    if json:
        print_json(done.to_dict())
    else:
        _show_rollback(done)
    return 0 if done.complete else 1


def _place(name: str) -> str:
    """What --to takes, from a store's own name; the password of a server is in the settings."""
    for scheme, short in (("questdb:http://", "questdb://"), ("questdb:https://", "questdbs://")):
        if name.startswith(scheme):
            return short + name.removeprefix(scheme)
    return name


def _list(json: bool) -> int:
    from maestro.cli.printing import print_json, show_table
    from maestro.data.legacy.journal import migrations
    from maestro.data.legacy.migration import migrations_folder

    found = [one.manifest for one in migrations(migrations_folder())]
    if json:
        shown = ("id", "begun", "status", "source", "target")
        print_json([{name: one[name] for name in shown} | {"tables": len(one["tables"])} for one in found])
    elif not found:
        typer.echo("no migration so far")
    else:
        rows = [
            (one["id"], one["status"], f"{one['source']} → {one['target']}", str(len(one["tables"]))) for one in found
        ]
        show_table(("id", "status", "from and to", "tables"), rows, left=3)
    return 0


def _show(done: MigrationReport) -> None:
    from maestro.cli.printing import plain_table, say

    rows = [
        (
            one.table,
            one.series,
            *(f"{n:,}" for n in (one.documents, one.inserted, one.replaced, one.unchanged, one.lost)),
            {"done": "equal", "counted": "–"}.get(one.status, "FAILED"),
        )
        for one in done.tables
    ]
    headings = ("table", "series", "documents", "new", "replaced", "there already", "rejected", "checked")
    plain_table(headings, rows)
    for one in done.tables:
        lines = [f"error: {one.error}"] if one.error else []
        lines += [*one.notes]
        lines += [f"{one.kept:,} rows of the store have other values and were left"] if one.kept else []
        for reason, count in one.rejected.items():
            lines.append(f"rejected, {count:,} times: {reason}, as {one.examples[reason][0]}")
        if lines:
            typer.echo(f"{one.table}:")
        for line in lines:
            say(line, bullet="  • ")
    for table, reason in done.left_out:
        say(f"left out: {table}: {reason}", bullet="• ")
    if done.dry_run:
        typer.echo("dry run: nothing was written")
        return
    behind = sum(one.lost for one in done.tables)
    verdict = "every row is equal" if done.ok else "NOT COMPLETE; run the same again to go on"
    verdict += f"; {behind:,} documents stay behind" if behind else ""
    typer.echo(f"{verdict} ({done.seconds:.1f} s)")
    typer.echo(f"report:    {Path(done.folder) / 'report.md'}")
    typer.echo(f"take back: maestro data migrate --rollback {done.id}")


def _show_rollback(done: RollbackReport) -> None:
    from maestro.cli.printing import say, show_table

    if not done.series:
        typer.echo(f"migration {done.id} had written nothing to {done.target}")
        return
    rows = [
        (one.series, f"{one.removed:,}", f"{one.restored:,}", f"{one.left:,}", "yes" if one.as_before else "no")
        for one in done.series
    ]
    show_table(("series", "removed", "restored", "left", "as before"), rows)
    for one in done.series:
        if one.left:
            say(
                f"{one.series}: {one.left:,} rows were written to since the migration and stay, the first "
                f"{one.left_examples[0]}",
                bullet="• ",
            )


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A bar a table and phase on stderr."""
    if quiet:
        yield None
        return
    from tqdm import tqdm

    live = sys.stderr.isatty()
    words = {"read": "reading", "write": "writing", "check": "checking"}
    bars: dict[tuple[str, str], Any] = {}

    def show(progress: Progress) -> None:
        place = (progress.table, progress.phase)
        if place not in bars:
            for bar in bars.values():
                bar.close()
            bars.clear()
            bars[place] = tqdm(
                total=progress.total,
                unit=" rows",
                desc=f"{words[progress.phase]} {progress.table}",
                mininterval=0.1 if live else 10.0,
                dynamic_ncols=live,
            )
        bars[place].update(progress.done - bars[place].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
