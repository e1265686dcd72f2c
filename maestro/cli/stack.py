"""``maestro stack``: the whole stack as plain processes, started, watched and stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maestro.cli import options
from maestro.cli.groups import group

app = group(
    "Start the API, workers, apps, nginx, Prometheus and QuestDB as plain processes; watch and stop them.",
)

OPTIONS = "options"  # file in the folder: the options of the last start
Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="Configuration and logs of the stack.  [default: stack, here]"),
]


def _folder(given: Path | None) -> Path:
    from maestro.errors import SettingsError

    folder = (given or Path("stack")).absolute()
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--folder {folder} is not a folder; give another one.")
    return folder


@app.command()
def up(
    context: typer.Context,
    folder: Folder = None,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port of nginx; 0 takes a free one.")] = 8443,
    address: Annotated[str, typer.Option(metavar="HOST", help="Address that nginx listens on.")] = "127.0.0.1",
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", help="Public host and port, if not --address; repeatable."),
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="PATH", help="Path under which everything is served: /maestro.")] = "",
    certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate for TLS.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="Key of the certificate.")] = None,
    self_signed: Annotated[bool, typer.Option("--self-signed", help="Make a certificate for TLS.")] = False,
    old_api: Annotated[
        str, typer.Option(metavar="URL", help="Pass requests to the API of 2020 on to the old system.")
    ] = "",
    docs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Built documentation to serve below /handbook/.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Number of workers.")] = 1,
    without: Annotated[
        list[str] | None, typer.Option(metavar="PART", help="Leave out apps, nginx or prometheus; repeatable.")
    ] = None,
    alertmanager: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send alerts by an Alertmanager with this configuration.")
    ] = None,
    backup: options.BackupEvery = None,
    fetch: options.FetchEvery = None,
    keep: options.Keep = None,
    json: options.Json = False,
) -> None:
    """Start everything, each part when the one before is healthy."""
    from dataclasses import replace

    from maestro.config import load_settings
    from maestro.data.stores.questdb_server import free_port
    from maestro.errors import SettingsError
    from maestro.operations import stack
    from maestro.operations.schedule import options as schedule_options
    from maestro.operations.stack.configuration import make_certificate
    from maestro.operations.stack.programs import find_programs
    from maestro.reports.output import write_text

    where = _folder(folder)
    if self_signed and (certificate or key):
        raise SettingsError("--self-signed excludes --certificate and --key; leave it out.")
    origins = tuple(origin or ())
    proxy = stack.ReverseProxy(port or free_port(), address, prefix, certificate, key, old_api, docs, origins)
    if self_signed:
        others = [name for name in ("nginx", "prometheus") if name not in (without or ())]
        find_programs([*others, "openssl"])  # all that are missing, before anything is written
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        certificate, key = make_certificate(where, *(one.partition(":")[0] for one in origins), address)
        proxy = replace(proxy, certificate=certificate, key=key)
    settings = load_settings()
    schedule = schedule_options(settings, backup, fetch, keep)
    stack.up(
        where, settings, proxy, workers=workers, schedule=schedule, without=without or (), alertmanager=alertmanager
    )
    write_text(where / OPTIONS, _given(context))
    _show(where, json)
    if not json and "nginx" not in (without or ()):
        typer.echo(f"\nAddress: {proxy.url}/")


def _given(context: typer.Context) -> str:
    """Return the options on the command line, without --folder and --json, so that a runbook can start the same."""
    words = []
    for option in context.command.params:
        source = context.get_parameter_source(str(option.name))
        value = context.params[str(option.name)]
        if source is None or source.name != "COMMANDLINE" or option.name in ("folder", "json"):
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [option.opts[0]] if one is True else [option.opts[0], str(one)]
    return " ".join(words) + "\n"


@app.command(epilog="Exit code: 0 all parts healthy, 1 not.")
def status(folder: Folder = None, json: options.Json = False) -> int:
    """Show each part and whether it is healthy."""
    where = _folder(folder)
    return _show(where, json)


@app.command()
def down(folder: Folder = None) -> int:
    """Stop everything; data and logs stay."""
    from maestro.operations import stack

    where = _folder(folder)
    ended = stack.down(where)
    typer.echo(f"stopped {', '.join(reversed(ended))}" if ended else f"no stack of {where} runs")
    return 0 if ended else 1


def _show(where: Path, json: bool) -> int:
    from dataclasses import asdict

    from maestro.cli.printing import print_json, show_table
    from maestro.operations import stack

    found = stack.status(where)
    if json:
        print_json({"folder": str(where), "parts": [{**asdict(part), "status": state} for part, state in found]})
    elif found:
        rows = [(part.name, state, str(part.pid), part.url or "–") for part, state in found]
        show_table(("part", "status", "process", "address"), rows, left=4)
    else:
        typer.echo(f"no stack of {where} runs; start it with maestro stack up")
    return 0 if found and all(state == "healthy" for _, state in found) else 1
