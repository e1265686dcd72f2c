"""``maestro schedule``: backups and fetches at intervals."""

from __future__ import annotations

import typer

from maestro.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def schedule(
    backup: options.BackupEvery = None,
    fetch: options.FetchEvery = None,
    keep: options.Keep = None,
) -> None:
    """Run backups and fetches at intervals.

    `maestro backup create` and `maestro data fetch --all` run when they are due, until Ctrl-C or SIGTERM.

    The first backup is due when the newest one is as old as the interval; series are fetched at once. A command that
    fails is logged and tried again.
    """
    import signal

    from maestro.config import load_settings
    from maestro.operations.schedule import Schedule, scheduled
    from maestro.service.logs import log_to_stderr

    tasks = scheduled(load_settings(), backup, fetch, keep)
    log_to_stderr()
    one = Schedule(tasks)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: one.stop())
    one.run()
