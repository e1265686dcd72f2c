"""Charts of a workbook are Excel's own and point at its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.reports.export.tables import export_run
from tests.reports.export.workbook import read
from tests.reports.standin import StandIn, stand_in


def test_the_charts_are_excels_own_and_point_at_the_rows(run: StandIn, tmp_path: Path) -> None:
    book = read(export_run(run, tmp_path / "run.xlsx"))
    rows = len(run.equity)
    assert len(book.charts) == 3
    equity, drawdown, folds = book.charts
    assert "<c:scatterChart>" in equity
    assert f"'Chart data'!$B$2:$B${rows + 1}" in equity
    assert f"'Chart data'!$C$2:$C${rows + 1}" in equity
    assert f"'Chart data'!$D$2:$D${rows + 1}" in drawdown
    j = run.folds.columns.index("oos_sharpe_ratio")
    letter = (chr(64 + j // 26) if j >= 26 else "") + chr(65 + j % 26)
    assert "<c:barChart>" in folds
    assert f"Folds!${letter}$2:${letter}${len(run.folds) + 1}" in folds
    assert "<drawing " in book.sheets["Summary"].xml


def test_a_long_equity_is_thinned_for_the_charts_alone(tmp_path: Path) -> None:
    run = stand_in(folds=6, bars=2_000, trials=3)
    book = read(export_run(run, tmp_path / "run.xlsx"))
    assert book.sheets["Equity"].rows == 12_001
    assert 2_000 < book.sheets["Chart data"].rows <= 4_001
    drawn = [value for value in book.sheets["Chart data"].column("Drawdown") if value is not None]
    assert min(drawn) == pytest.approx(run.equity["drawdown"].min())
