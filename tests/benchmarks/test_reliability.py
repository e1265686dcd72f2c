"""The harness of ``python -m benchmarks reliability``: it counts failures, and its areas find what they look for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.reliability import files, names, table, visits
from benchmarks.reliability.forks import Forks
from benchmarks.reliability.kills import environment
from maestro.apps.shared import access


def failing(tries: int, folder: Path) -> Iterator[str]:
    """Fail every third time."""
    (folder / "own").write_text("removed afterwards")
    for number in range(tries):
        yield "it broke" if number % 3 == 0 else ""


def test_failures_are_counted_named_and_make_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(table, "AREAS", {"broken": (60, failing)})
    monkeypatch.setattr(table, "PAGE", tmp_path / "reliability.md")
    assert table.main(["broken", "--share", "0.1"]) == 1
    output = capsys.readouterr()
    assert re.search(
        r"\| Fail every third time \| 6 \| 2 \| \d+ \| `python -m benchmarks reliability broken` \|", output.out
    )
    assert "broken: 2 × it broke" in output.err
    assert table.main(["--share", "0.1"]) == 1
    assert not table.PAGE.exists(), "a part of the tries is not the page, unless it is asked for"
    assert table.main(["--share", "0.1", "--page"]) == 1
    assert "These are 10% of the tries of a full run" in table.PAGE.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        table.main(["borken"])
    assert "there is no area borken; there are: broken" in capsys.readouterr().err


@pytest.mark.parametrize(
    "area", ["flips-series", "flips-backtests", "links", "foreign", "names", "rollbacks", "old-runs"]
)
def test_an_area_holds_at_a_few_tries(area: str, tmp_path: Path) -> None:
    assert set(table.AREAS[area][1](3, tmp_path)) == {""}


def test_a_fork_runs_a_command_and_is_killed_at_the_moment_asked_for(tmp_path: Path) -> None:
    forks = Forks()
    try:
        killed = forks.run(["new", "project", "study"], tmp_path, environment(tmp_path), kill_after=0.0)
        again = forks.run(["new", "project", "study"], tmp_path, environment(tmp_path))
        refused = forks.run(["no-such-command"], tmp_path, environment(tmp_path))
    finally:
        forks.close()
    assert killed.code == -9 or not killed.code
    assert (again.code, (tmp_path / "study").is_dir()) == (0, True)
    assert refused.code == 2
    assert "no-such-command" in refused.output


def test_an_area_finds_what_it_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "refuse_data", lambda name: "")
    assert any(output.startswith("opened") for output in files.links(20, tmp_path))
    monkeypatch.setattr("maestro.bars.Bars._repr_html_", lambda bars: f"<b>{bars.symbol}</b>")
    assert "Bars: " in "".join(names.hostile_names(2, tmp_path))


@pytest.mark.filterwarnings("ignore:Both 'color' and 'button:PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore:Both 'variant' and 'button:PendingDeprecationWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")
def test_the_server_holds_no_page_of_a_visitor_who_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(tmp_path / "runs"))
    assert list(visits.visits(3, tmp_path, ["backtest"])) == ["", "", ""]
