"""``maestro user``: the users of the service and their API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from maestro.cli import options
from maestro.cli.groups import group

if TYPE_CHECKING:
    from pathlib import Path

    from maestro.service.accounts import Users

app = group(
    "Add, list and remove users of the service; make API keys.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]


def _users(folder: Path | None) -> Users:
    from maestro.cli.parsing import configured
    from maestro.service.accounts import Users
    from maestro.service.jobs import Database

    return Users(Database(configured(folder, "service.folder")))


@app.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(metavar="ROLE", help="viewer, researcher or admin.")] = "researcher",
    password_file: Annotated[
        typer.FileText | None, typer.Option(metavar="FILE", help="Read the password from a file, or - for stdin.")
    ] = None,
    folder: options.ServiceFolder = None,
) -> None:
    """Add a user; the password is asked for, and never taken from the command line."""
    users = _users(folder)
    users.check_new(name, role)
    if password_file is not None:
        password = password_file.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    users.add(name, role, password)
    typer.echo(f"{name} now has the role {role}. For an API key for programs: maestro user key {name}")


@app.command("key")
def key(
    name: Name,
    label: Annotated[str, typer.Option(metavar="TEXT", help="What the key is for.")] = "",
    folder: options.ServiceFolder = None,
) -> None:
    """Make an API key and print it, this once."""
    typer.echo(_users(folder).make_key(name, label))


@app.command("keys")
def keys(name: Name, folder: options.ServiceFolder = None) -> None:
    """List the API keys of a user: id, label and when each was made; secrets are not kept."""
    from datetime import UTC, datetime

    for one in _users(folder).keys(name):
        made = datetime.fromtimestamp(one["created"], UTC).isoformat(timespec="seconds")
        typer.echo(f"{one['id']}\t{one['label']}\t{made}")


@app.command("revoke")
def revoke(
    name: Name,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id of the key, as maestro user keys shows it.")],
    folder: options.ServiceFolder = None,
) -> None:
    """Revoke one API key of a user at once; the others stay valid."""
    from maestro.errors import SettingsError, nearest

    users = _users(folder)
    ident = key.removeprefix("mk_").partition("_")[0]
    if not users.revoke_key(name, ident):
        known = [one["id"] for one in users.keys(name)]
        raise SettingsError(
            f"{name} has no API key {ident!r}; there are: {', '.join(known) or 'none'}.{nearest(ident, known)}"
        )
    typer.echo(f"key {ident} of {name} is revoked")


@app.command("list")
def show(folder: options.ServiceFolder = None) -> None:
    """List the users with their roles."""
    found = list(_users(folder).names())
    for name, role in found:
        typer.echo(f"{name}\t{role}")
    if not found:
        typer.echo("there are no users; add one: maestro user add NAME --role admin", err=True)


@app.command("remove")
def remove(name: Name, folder: options.ServiceFolder = None) -> None:
    """Remove a user with all keys and sessions; jobs and runs stay."""
    _users(folder).remove(name)
    typer.echo(f"{name} is removed")
