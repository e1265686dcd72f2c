"""The journeys in the browser: the table, the page it goes into, and the files the tasks start from."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from benchmarks.__main__ import main
from benchmarks.journeys import BEFORE, JOURNEYS, MARKS, NOT_TIMED, PAGE, RULE, Row, lines, write
from maestro.strategies.files import load_strategy


def test_a_row_has_the_figures_of_a_task_and_marks_missing_earlier_ones() -> None:
    text = lines(
        [Row("own_csv", "Own CSV to verdict", 3, 4.26, "Not\nrobust | 1 of 9"), Row("resume", "R", 3, 2.0, "")]
    )
    assert text[2] == f"| Own CSV to verdict | 3 | 4.3 | Not robust / 1 of 9 | {NOT_TIMED} |"
    assert text[3] == f"| R | 3 | 2.0 |  | {BEFORE['resume']} |"
    assert set(BEFORE) <= {task.__name__ for task in JOURNEYS}


def test_only_the_table_of_the_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{MARKS[0]}\nold\n{MARKS[1]}\n\nrest\n", encoding="utf-8")
    write("new", page)
    assert page.read_text(encoding="utf-8") == f"# Title\n\n{MARKS[0]}\nnew\n{MARKS[1]}\n\nrest\n"


def test_the_page_has_a_row_for_every_task() -> None:
    table = PAGE.read_text(encoding="utf-8").split(MARKS[0])[1].split(MARKS[1])[0]
    for task in JOURNEYS:
        assert f"| {(task.__doc__ or '').rstrip('.')} |" in table


def test_an_unknown_journey_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journeys", "own_cvs"]) == 2
    assert "no journey own_cvs; there are: own_csv, own_strategy" in capsys.readouterr().err


def test_the_strategy_file_of_the_journey_backtests(tmp_path: Path) -> None:
    path = tmp_path / "two_averages.py"
    path.write_text(RULE, encoding="utf-8")
    result = ms.backtest(ms.synthetic_bars(500), load_strategy(f"{path}:TwoAverages"))
    assert len(result.trades) > 0
