"""``maestro backup``: everything backed up while it runs, and backups listed, verified and restored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maestro.cli import options
from maestro.cli.groups import group

if TYPE_CHECKING:
    from maestro.operations.backup import StoredBackup, Vault

app = group(
    "Back up jobs, runs, ledgers, bars and settings while they are in use; list, verify and restore backups.",
)

At = Annotated[
    Path | None,
    typer.Option("--at", metavar="DIR", help="Folder of the backups.  [default: backup.restic, else backup.folder]"),
]
Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Name of a backup, or the beginning of one.  [default: newest]")
]


def _vault(at: Path | None) -> Vault:
    from maestro.config import load_settings
    from maestro.errors import SettingsError
    from maestro.operations.backup import open_vault

    if at is not None and at.exists() and not at.is_dir():
        raise SettingsError(f"--at {at} is not a folder; give the folder of the backups.")
    return open_vault(load_settings(), at)


def _row(kept: StoredBackup) -> dict[str, Any]:
    contents = kept.contents
    return {
        "name": contents.name, "created": contents.created, "version": contents.version, "files": len(contents.files),
        "bytes": contents.size, "stored": kept.stored,
    }  # fmt: skip


@app.command()
def create(
    at: At = None,
    keep: options.Keep = None,
    runs: options.ServiceRuns = None,
    json: options.Json = False,
) -> None:
    """Back up everything, whole or not at all."""
    from maestro.cli.printing import print_json
    from maestro.config import load_settings
    from maestro.operations import backup

    settings = load_settings()
    vault = _vault(at)
    keep = settings.backup.keep if keep is None else keep
    kept, removed = backup.create(backup.places_of(settings, runs), settings, vault, keep=keep, folder=at)
    if json:
        print_json({**_row(kept), "where": vault.where, "removed": removed})
        return
    typer.echo(f"{kept.name}: {len(kept.contents.files):,} files, {_size(kept.contents.size)}, in {vault.where}")
    for name in removed:
        typer.echo(f"removed {name}")


@app.command("list")
def list_(at: At = None, json: options.Json = False) -> int:
    """List the backups, the oldest first; exit code 1 if one is damaged."""
    from maestro.cli.printing import print_json, show_table

    vault = _vault(at)
    kept, damaged = vault.backups()
    if json:
        print_json({"where": vault.where, "backups": [_row(one) for one in kept], "damaged": damaged})
    elif kept:
        heads = ("backup", "created, UTC", "Maestro", "files", "content", "stored")
        show_table(heads, [
            (one.name, one.contents.created[:16].replace("T", " "), one.contents.version,
             f"{len(one.contents.files):,}", _size(one.contents.size), "–" if one.stored is None else _size(one.stored))
            for one in kept
        ], left=3)  # fmt: skip
    else:
        typer.echo(f"No backup in {vault.where}. Make one: maestro backup create")
    for text in () if json else damaged:
        typer.echo(text, err=True)
    return 1 if damaged else 0


@app.command(epilog="Exit code: 0 good, 1 damaged or a run differs.")
def verify(
    name: Name = None,
    at: At = None,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Repeat this run.  [default: one at random]")] = None,
    json: options.Json = False,
) -> int:
    """Restore a backup to a temporary folder, check all of it, and repeat one run bit for bit."""
    from dataclasses import asdict

    from maestro.cli.printing import print_json, say, show_notes
    from maestro.operations import backup

    outcome = backup.verify(_vault(at), name, run=run)
    if json:
        print_json({**asdict(outcome), "good": outcome.passed})
        return 0 if outcome.passed else 1
    repeated = f"run {outcome.repeated} repeats bit for bit" if outcome.repeated else "no finished run to repeat"
    say(
        f"{outcome.name} is {'good' if outcome.passed else 'not good'}: {outcome.jobs:,} jobs, {outcome.runs:,} "
        f"finished runs, {outcome.series:,} series with {outcome.rows:,} rows, {outcome.ledgers:,} ledgers"
        f"{f'; {repeated}' if outcome.passed else ''} ({outcome.seconds:.1f} s)"
    )
    for text in outcome.problems:
        say(text, bullet="! ")
    show_notes(outcome.notes)
    return 0 if outcome.passed else 1


@app.command()
def restore(
    name: Name = None,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to restore to; empty or new. Required.")
    ] = None,
    at: At = None,
    json: options.Json = False,
) -> None:
    """Restore a backup into an empty folder; nothing is ever overwritten."""
    from maestro.cli.printing import print_json
    from maestro.errors import SettingsError
    from maestro.operations import backup

    if to is None:
        raise SettingsError("--to is missing; give an empty or new folder to restore to.")
    contents = backup.restore(_vault(at), name, to)
    if json:
        print_json({"name": contents.name, "folder": str(to), "files": len(contents.files), "bytes": contents.size})
        return
    typer.echo(f"{contents.name} is in {to}: {len(contents.files):,} files, {_size(contents.size)}")
    typer.echo(f"Its maestro.yaml names the restored folders; to use them: cd {to}")


def _size(number: int) -> str:
    return f"{number / 2**30:.1f} GB" if number >= 2**30 else f"{number / 2**20:.1f} MB"
