"""``maestro worker``: run the jobs of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def worker(
    folder: options.ServiceFolder = None,
    runs: options.ServiceRuns = None,
    cores: Annotated[int, typer.Option(min=1, metavar="N", help="Processes or threads for one job.")] = 1,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when the queue is empty.")] = False,
    idle: Annotated[
        bool, typer.Option("--idle/--no-idle", help="Take only processor time that nothing else wants.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Run no job; exit code 1 unless a worker of this machine is alive.")
    ] = False,
) -> int:
    """Run the jobs of the service.

    It runs one at a time until Ctrl-C or SIGTERM; start one worker for each core.
    """
    import signal
    from contextlib import nullcontext

    from maestro.cli.parsing import configured
    from maestro.service.jobs import Database
    from maestro.service.logs import log_to_stderr
    from maestro.service.overdue import overdue_guard
    from maestro.service.worker import Worker

    where = configured(folder, "service.folder")
    if check:
        from maestro.service.heartbeat import is_alive_here

        return 0 if is_alive_here(where) else 1
    log_to_stderr()
    one = Worker(Database(folder=where), runs or where / "runs", cores=cores)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: one.stop())
    with overdue_guard(where, one.name) if idle else nullcontext():
        one.run(until_empty=until_empty, idle=idle)
    return 0
