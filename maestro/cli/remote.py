"""``maestro --server URL walk-forward``: the same command, run by a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from maestro.walkforward.result import WalkForward


def run_on_server(
    url: str, data: str, strategy: str, runs_dir: Path, *, progress: bool, settings: dict[str, Any]
) -> WalkForward:
    """Submit a walk-forward, follow it and fetch its result; Ctrl-C leaves the job to go on."""
    from maestro.client import Client

    with Client(url, runs_dir=runs_dir) as client:
        job = client.submit(data, strategy, **settings)
        typer.echo(f"job {job.id} on {client.url} makes run {job.run}; it goes on if this command ends", err=True)
        return job.wait(progress).result()
