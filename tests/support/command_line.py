"""Commands of Maestro as units, compose files and manifests have them, parsed as the command line does."""

from __future__ import annotations

from typing import Any

import typer

from maestro.cli import app


def parse(words: list[str]) -> None:
    """Parse the words of a command without running it; an unknown command or option is an error."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "get_command"):
        name = rest.pop(0)
        command = command.get_command(None, name)
        assert command is not None, f"there is no command {name!r}: {words}"
    command.make_context(words[0], rest)
