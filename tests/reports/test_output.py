"""Pages replace pages of Maestro, and no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.errors import RunError
from maestro.reports.output import MARK, write_page, write_text
from tests.reports.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def run() -> StandIn:
    return stand_in(folds=3, bars=400)


def test_a_page_replaces_a_page(tmp_path: Path, run: StandIn) -> None:
    path = run.report(tmp_path / "report.html")
    first = path.read_bytes()
    assert f'content="{MARK}'.encode() in first
    path.write_bytes(first.replace(b"</html>", b"<!-- an earlier one --></html>"))
    assert run.report(path).read_bytes() == first


@pytest.mark.parametrize("name", ["thesis.html", "notes.txt"])
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, run: StandIn, name: str) -> None:
    path = write_text(tmp_path / name, "<html>my thesis</html>")
    with pytest.raises(RunError, match=rf"{name} exists and is not a page that Maestro wrote; choose another path"):
        run.report(path)
    assert path.read_text() == "<html>my thesis</html>"


def test_an_empty_file_may_be_written_to_and_a_folder_may_not(tmp_path: Path) -> None:
    (tmp_path / "made.html").touch()  # as tempfile makes it
    assert write_page(tmp_path / "made.html", "x").read_text() == "x"
    with pytest.raises(RunError, match="cannot write"):
        write_page(tmp_path, "x")
