"""A command with commands of its own, whose help lists each with its whole first sentence."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

_WHOLE = 1_000
"""Characters of a first sentence; without a limit so large the list has its beginning and three dots."""


class _Group(TyperGroup):
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands: dict[str, Any] = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(_WHOLE)) for name, one in commands.items() if not one.hidden]
            )


def group(text: str, epilog: str | None = None) -> typer.Typer:
    """Return a command with this help, to which commands are added."""
    return typer.Typer(
        cls=_Group, rich_markup_mode=None, add_completion=False, no_args_is_help=True, help=text, epilog=epilog
    )
