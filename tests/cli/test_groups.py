"""The help of a command with commands of its own lists each with its whole first sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import typer

from maestro.cli.groups import group
from tests.cli.commands import Done, fits

LONG = "Write every table of a run for other programs, as an Excel workbook or as a folder of CSV or Parquet files."


def test_the_first_sentence_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    app = group("Do things.", epilog="An example.")
    app.command("one", help=f"{LONG} More of it.")(lambda: None)
    app.command("two", help="Two.")(lambda: None)
    app.command("hidden", help="Hidden.", hidden=True)(lambda: None)
    with pytest.raises(SystemExit):
        typer.main.get_command(app)(["--help"], prog_name="things")
    words = " ".join(capsys.readouterr().out.split())
    assert f"one {LONG} two Two. An example." in words
    assert "Hidden" not in words


@pytest.mark.parametrize("name", ["runs", "data", "backup", "stack", "cluster", "user", "new"])
def test_every_group_has_it(run: Callable[..., Done], name: str) -> None:
    done = run(name, "--help")
    assert done.code == 0
    assert "..." not in done.out.replace("ARGS]...", "").replace("walk-forward ...", "")
    assert fits(done.out)
