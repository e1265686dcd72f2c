"""``maestro config``: the settings in effect, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from maestro.cli import options

if TYPE_CHECKING:
    from maestro.config.schema import Entry

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="Show the settings in effect and where each comes from.",
    epilog="A file maestro.yaml here or in a folder above sets them; variables MAESTRO_… win over it.",
)


@app.command()
def config(
    name: str = typer.Argument("", metavar="[TEXT]", help="Only settings whose name contains this text."),
    venues: bool = typer.Option(False, "--venues", help="Show the costs of the venues that are known."),
    json: options.Json = False,
) -> None:
    """Show the settings in effect and where each comes from."""
    from maestro.cli.printing import print_json, show_notes, show_table
    from maestro.config import load_settings
    from maestro.config.settings import variable
    from maestro.errors import SettingsError, nearest

    settings = load_settings()
    if venues:
        _show_venues(json)
        return
    rows = [row for row in settings.items() if name in row[0]]
    if not rows:
        known = [row[0] for row in settings.items()]
        raise SettingsError(f"no setting's name contains {name!r}; see maestro config.{nearest(name, known)}")
    if json:
        listed = [
            {"name": key, "value": value, "from": origin, "variable": variable(key), "about": entry.doc.text}
            for key, value, origin, entry in rows
        ]
        print_json({"file": settings.file, "settings": listed, "unknown": settings.unknown})
        return
    folder = f"{settings.file.parent}/" if settings.file else ""
    headings = ("setting", "value", "from", *(("about",) if name else ()))
    cells = [
        (key, _shown(entry, value), origin.removeprefix(folder), entry.doc.text) for key, value, origin, entry in rows
    ]
    show_table(headings, [row[: len(headings)] for row in cells], left=len(headings))
    notes = [f"file: {settings.file}" if settings.file else "no maestro.yaml here or in a folder above"]
    names = [variable(key) for key, _, _, _ in settings.items()]
    notes += [f"{found} in the environment is not a setting.{nearest(found, names)}" for found in settings.unknown]
    show_notes(notes)


def _shown(entry: Entry, value: object) -> str:
    """A value in a table; the home folder is ~."""
    from pathlib import Path

    text = str(value) if entry.doc.secret and value else entry.show(value)
    home = str(Path.home())
    return f"~{text.removeprefix(home)}" if text.startswith(f"{home}/") else text


def _show_venues(json: bool) -> None:
    from dataclasses import asdict

    from maestro.cli.printing import print_json, show_table
    from maestro.config import VENUES, load_settings, venue

    settings = load_settings()
    names = [*VENUES, *(own for own in settings.costs if own not in VENUES and settings.costs[own].taker is not None)]
    known = [venue(each, settings) for each in names]
    if json:
        print_json([asdict(each) for each in known])
        return
    show_table(
        ("venue", "market", "source", "maker", "taker", "slippage"),
        [
            (
                each.name,
                each.market,
                f"{each.source}, {each.date}".rstrip(", "),
                *(f"{100 * fee:g} %" for fee in (each.maker, each.taker, each.slippage)),
            )
            for each in known
        ],
        left=3,
    )
