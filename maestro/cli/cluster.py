"""``maestro cluster``: a Dask cluster of this machine, and what the workers of any cluster are."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.groups import group

app = group(
    "Start a Dask cluster on this machine, or show the workers of any cluster.",
    epilog="maestro cluster start, then in another terminal: maestro walk-forward ... --cluster tcp://127.0.0.1:8786",
)


@app.command()
def start(
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Worker processes.  [default: all cores]")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port of the scheduler; 0 takes a free one.")
    ] = 8786,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="Memory of each worker: 2GB, or auto.")] = "auto",
) -> None:
    """Start a scheduler and workers on this machine, and run until Ctrl-C."""
    from maestro.cli import interrupts as stopping
    from maestro.execution.distributed import local_cluster

    with stopping.stopped_by_ctrl_c() as cancel, local_cluster(workers, port, memory) as cluster:
        typer.echo(f"{len(cluster.workers)} workers; the scheduler listens at {cluster.scheduler_address}")
        typer.echo(f"use it with --cluster {cluster.scheduler_address}; Ctrl-C stops it")
        sys.stdout.flush()
        while not cancel.is_set():
            time.sleep(0.2)


@app.command()
def status(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of the scheduler: tcp://HOST:8786.")],
    json: options.Json = False,
) -> int:
    """Show the workers of a cluster, and whether they run what this machine runs; exit code 1 if not."""
    from maestro.cli.printing import print_json, say, show_notes, show_table
    from maestro.errors import RunError
    from maestro.execution import cluster
    from maestro.execution.distributed import connected

    with connected(address, check=False) as client:
        rows = cluster.status(client)
        notes: tuple[str, ...] = ()
        wrong = ""
        try:
            notes = cluster.handshake(client)
        except RunError as error:
            wrong = str(error)
    if json:
        print_json({"address": address, "workers": rows, "notes": notes, "error": wrong or None})
        return int(bool(wrong))
    say(f"{len(rows)} workers, {sum(row['threads'] for row in rows)} threads at {address}")
    shown = [
        (row["name"], row["address"], str(row["threads"]), f"{row['memory'] / 2**20:,.0f} MB", str(row["executing"]),
         row["maestro"], row["python"])
        for row in rows
    ]  # fmt: skip
    if shown:
        show_table(("worker", "address", "threads", "memory", "running", "maestro", "Python"), shown, left=2)
    show_notes(notes)
    if wrong:
        say(wrong, bullet="! ")
    return int(bool(wrong))
