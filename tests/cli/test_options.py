"""The recorded line of a command has what was given and what was settled, quoted for the shell."""

from __future__ import annotations

import shlex
from typing import Annotated

import pytest
import typer

from maestro.cli.options import line_of


def line(*words: str, aside: tuple[str, ...] = (), settled: dict[str, object] | None = None) -> list[str]:
    lines: list[str] = []
    app = typer.Typer()

    @app.command()
    def walk(
        ctx: typer.Context,
        name: str,
        param: Annotated[list[str] | None, typer.Option("--param", "-p")] = None,
        seed: Annotated[int | None, typer.Option()] = None,
        json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        lines.append(line_of(ctx, set(aside), settled or {}))

    with pytest.raises(SystemExit) as end:
        app(list(words), prog_name="maestro walk")
    assert end.value.code == 0
    return shlex.split(lines[0])


def test_defaults_are_left_out_and_short_options_become_long() -> None:
    assert line("Ema", "-p", "a=1", "-p", "b=2 3") == ["maestro", "walk", "Ema", "--param", "a=1", "--param", "b=2 3"]


def test_settled_values_replace_options() -> None:
    assert line("Ema", "--seed", "1", settled={"seed": 5}) == ["maestro", "walk", "Ema", "--seed", "5"]
    assert line("Ema", settled={"seed": 0}) == ["maestro", "walk", "Ema", "--seed", "0"]


def test_options_that_do_not_change_the_result_are_set_aside() -> None:
    assert line("Ema", "--json") == ["maestro", "walk", "Ema", "--json"]
    assert line("Ema", "--json", aside=("json",)) == ["maestro", "walk", "Ema"]
