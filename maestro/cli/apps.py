"""``maestro app``: serve the interactive apps on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(name="app")
def serve_apps(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="market, backtest, walk_forward, many, runs; all of them."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 takes a free one.")
    ] = 5006,
    address: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on; any but this machine needs a login in front.")
    ] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--show/--no-show", help="Open a browser.")] = True,
    prefix: Annotated[
        str, typer.Option(metavar="PATH", help="Path before the apps' names, where a proxy serves them below one.")
    ] = "",
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST[:PORT]", help="Name under which browsers may reach the apps, besides this machine's."
        ),
    ] = None,
    data_dir: Annotated[
        list[str] | None,
        typer.Option(metavar="FOLDER", help="Visitors may open the files below it; repeatable."),
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE.py|FOLDER",
            help="Offer the strategies of a Python file, or of all in a folder; they are reloaded when saved.",
        ),
    ] = None,
    login: Annotated[
        bool, typer.Option("--i-have-a-login-in-front", help="Allow --address to let other machines in.")
    ] = False,
) -> None:
    """Serve the interactive apps: market, backtest, walk-forward, many, runs."""
    from maestro.apps.serving import serve

    serve(
        names or (), port=port, address=address, show=show, prefix=prefix, origins=origin or (),
        data_dirs=data_dir or (), strategies=strategy or (), login_in_front=login,
    )  # fmt: skip
