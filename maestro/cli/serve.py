"""``maestro serve``: the HTTP interface of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from maestro.cli import options

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def serve(
    address: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on; others need users.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 takes a free one.")
    ] = 8400,
    folder: options.ServiceFolder = None,
    runs: options.ServiceRuns = None,
) -> None:
    """Start the server of the team service: jobs, progress and results over HTTP.

    Stop it with Ctrl-C or SIGTERM. `maestro worker` runs the jobs.
    """
    from maestro.cli.parsing import configured
    from maestro.errors import MissingExtraError
    from maestro.service.logs import log_to_stderr

    try:
        from maestro.service.web.server import serve as start
    except ImportError as error:
        raise MissingExtraError(str(error.name), "service") from error

    log_to_stderr()
    start(configured(folder, "service.folder"), runs, address=address, port=port)
