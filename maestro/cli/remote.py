"""``maestro --server URL walk-forward`` and ``backtest``: the same commands, run by a service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer


def run_on_server(
    url: str, data: str, strategy: str, runs_dir: Path, *, progress: bool, settings: dict[str, Any]
) -> Any:
    """Submit a job, follow it and fetch its result, a walk-forward or backtest; Ctrl-C leaves the job to go on."""
    from maestro.client import Client

    with Client(url, runs_dir=runs_dir) as client:
        job = client.submit(data, strategy, **settings)
        what = "backtest" if job.kind == "backtest" else "run"
        typer.echo(f"job {job.id} on {client.url} makes {what} {job.run}; it goes on if this command ends", err=True)
        try:
            return job.wait(progress).result()
        except KeyboardInterrupt:
            typer.echo(
                f"\njob {job.id} goes on; the same command follows it again, and the home page of the apps or "
                f"POST {client.url}/api/v2/optimizations/{job.id}/cancel cancels it",
                err=True,
            )
            raise
