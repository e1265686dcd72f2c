"""``maestro data questdb``: start, watch and stop a local QuestDB server."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.groups import group

app = group(
    "Start, watch and stop a local QuestDB server; it needs Java, and no container engine.",
    epilog="maestro data questdb start, then MAESTRO_STORE=questdb",
)


@app.command()
def start(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="HTTP port; 0 takes a free one.  [default: the port of servers.questdb.url]",
        ),
    ] = None,
    pg_port: Annotated[
        int | None,
        typer.Option(
            "--pg-port", min=0, max=65535, metavar="N", help="Also serve PostgreSQL clients on this port: 8812."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Start the server, after fetching it if it is missing; user and password are those of the settings."""
    from dataclasses import asdict
    from urllib.parse import urlsplit

    from maestro.cli.printing import print_json
    from maestro.config import load_settings
    from maestro.data.stores import questdb_server as server

    own = load_settings().servers.questdb
    running = server.status(own.home)
    if running is None:
        jar = server.find_jar(own.home, own.jar)
        if jar is None:
            typer.echo(f"fetching QuestDB {server.VERSION} into {own.home} …", err=True)
            jar = server.fetch_jar(own.home)
        wanted = (urlsplit(own.url).port or 9000) if port is None else port
        made = server.QuestDBServer(
            own.home / "root", jar, port=wanted, pg_port=pg_port, user=own.user, password=own.password
        )
        running = server.start(own.home, made)
    if json:
        print_json(asdict(running))
        return
    typer.echo(f"QuestDB runs at {running.url} (process {running.pid}); its data is in {running.root}")
    if running.url.rsplit(":", 1)[1] != own.url.rsplit(":", 1)[1]:
        typer.echo(f"to use it: export MAESTRO_QUESTDB_URL={running.url}")


@app.command()
def stop() -> int:
    """Stop the server; its data stays."""
    from maestro.config import load_settings
    from maestro.data.stores import questdb_server as server

    stopped = server.stop(load_settings().servers.questdb.home)
    typer.echo(f"QuestDB at {stopped.url} is stopped" if stopped else "no QuestDB started by Maestro is running")
    return 0 if stopped else 1


@app.command()
def status(json: options.Json = False) -> int:
    """Show whether the server runs, where, and what it stores; exit code 1 if it does not run."""
    from contextlib import closing
    from dataclasses import asdict

    from maestro.cli.printing import print_json
    from maestro.config import load_settings
    from maestro.data.stores import QuestDBStore
    from maestro.data.stores import questdb_server as server

    own = load_settings().servers.questdb
    running = server.status(own.home)
    held = []
    if running is not None:
        with closing(QuestDBStore(running.url, user=own.user, password=own.password, timeout=own.timeout)) as store:
            held = store.series()
    rows = sum(info.rows for info in held)
    if json:
        print_json({"server": asdict(running) if running else None, "series": len(held), "rows": rows})
    elif running is None:
        typer.echo("no QuestDB started by Maestro is running; start one: maestro data questdb start")
    else:
        typer.echo(f"QuestDB runs at {running.url} (process {running.pid}): {len(held)} series, {rows:,} rows")
    return 0 if running else 1
