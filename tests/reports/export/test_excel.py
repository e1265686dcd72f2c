"""The workbook of a run: digits, formats, summary, page breaks, limits."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import polars as pl
import pytest

from maestro.errors import MissingExtraError
from maestro.reports.export.excel import write_workbook
from maestro.reports.export.tables import export_run
from maestro.validation.verdict.preliminary import current_verdict
from tests.reports.export.reading import TABLES, same
from tests.reports.export.workbook import read
from tests.reports.standin import StandIn, stand_in

HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x.y\",\"z\")",
    "http://example.org", "mailto:a@b.c", "internal:Sheet1!A1", "{=1}", "<b>&\"'", "𝒳 \x07\x00 \ud800",
    "x" * 40_000, "",
)  # fmt: skip


def test_every_table_is_in_the_workbook_to_the_last_digit(run: StandIn, tmp_path: Path) -> None:
    book = read(export_run(run, tmp_path / "run.xlsx"))
    assert list(book.sheets) == ["Summary", "Verdict", "Folds", "Trials", "Trades", "Equity", "Chart data"]
    folds, trials, trades, equity = (book.sheets[name.capitalize()] for name in TABLES)
    for sheet, frame in ((folds, run.folds), (trials, run.trials), (trades, run.trades), (equity, run.equity)):
        assert len({heading for (i, _), heading in sheet.cells.items() if i == 0}) == frame.width
        assert sheet.frozen[0] == 1
        assert sheet.filtered.startswith("A1:")
        assert sheet.formulas == 0
    same(folds, "Test start", run.folds["test_start"])
    same(folds, "Sharpe ratio, out of sample", run.folds["oos_sharpe_ratio"])
    same(folds, "Exit", run.folds["exit"])
    same(folds, "Error", run.folds["error"])
    for heading, name in (("Fast", "fast"), ("Band", "band"), ("State", "state"), ("Chosen", "chosen"), ("VWR", "vwr")):
        same(trials, heading, run.trials[name])
    for heading, name in (("Entry time", "entry_time"), ("Pnl", "pnl"), ("Side", "side"), ("Return", "return")):
        same(trades, heading, run.trades[name])
    for heading, name in (("Timestamp", "timestamp"), ("Equity", "equity"), ("Drawdown", "drawdown")):
        same(equity, heading, run.equity[name])


def test_numbers_have_the_formats_that_people_read(run: StandIn, tmp_path: Path) -> None:
    book = read(export_run(run, tmp_path / "run.xlsx"))
    trades = book.sheets["Trades"]
    heads = {value: j for (i, j), value in trades.cells.items() if i == 0}
    assert trades.formats[1, heads["Return"]] == "0.00%"
    assert trades.formats[1, heads["Pnl"]] == "#,##0.00"
    assert trades.formats[1, heads["Entry time"]] == "yyyy-mm-dd hh:mm"
    folds = book.sheets["Folds"]
    heads = {value: j for (i, j), value in folds.cells.items() if i == 0}
    assert folds.formats[1, heads["Total return, out of sample"]] == "0.00%"
    assert folds.formats[1, heads["Fast"]] in ("General", "0")


def test_the_summary_describes_the_run_and_its_failures(run: StandIn, tmp_path: Path) -> None:
    summary = read(export_run(run, tmp_path / "run.xlsx")).sheets["Summary"]
    message = summary.text()
    for words in ("EmaCrossStrategy on BITSTAMP:BTCUSD:1h", run.id, "The bars are synthetic.", "Fold 4 failed",
                  "StrategyError: signals of a wrong shape", "ab12ab12", "maestro walk-forward"):  # fmt: skip
        assert words in message
    values = {summary.cells[i, 0]: summary.cells.get((i, 1)) for i, j in summary.cells if j == 0}
    assert values["Sharpe ratio"] == pytest.approx(run.metrics["sharpe_ratio"], rel=1e-15)
    assert values["Turnover a year"] is None  # NaN
    assert summary.formulas == 0


def test_the_verdict_is_on_the_summary_and_a_sheet_of_its_own(run: StandIn, tmp_path: Path) -> None:
    book = read(export_run(run, tmp_path / "run.xlsx"))
    verdict, _ = current_verdict(run)
    summary, sheet = book.sheets["Summary"], book.sheets["Verdict"]
    values = {summary.cells[i, 0]: summary.cells.get((i, 1)) for i, j in summary.cells if j == 0}
    assert verdict.headline in values[verdict.name]
    assert values["Efficiency"] == pytest.approx(run.efficiency, rel=1e-15)
    assert values["Annual return, in sample"] == pytest.approx(run.in_sample_annual_return, rel=1e-15)
    rows = len(verdict.checks)
    assert sheet.column("Check")[:rows] == [check.title for check in verdict.checks]
    assert sheet.column("Outcome")[:rows] == [check.outcome for check in verdict.checks]
    assert sheet.column("Meaning")[:rows] == [check.meaning for check in verdict.checks]
    assert verdict.changes[-1] in sheet.text()


def test_a_sheet_prints_on_pages_as_wide_as_it_is_with_its_heading_on_each(run: StandIn, tmp_path: Path) -> None:
    book = read(export_run(run, tmp_path / "run.xlsx"))
    for sheet in book.sheets.values():
        assert 'orientation="landscape"' in sheet.xml
        assert 'fitToHeight="0"' in sheet.xml


def test_a_row_of_the_summary_is_as_high_as_its_text(run: StandIn, tmp_path: Path) -> None:
    long = "a note of many words " * 20
    summary = read(export_run(run.but(notes=(long,)), tmp_path / "run.xlsx")).sheets["Summary"]
    [row] = [i for (i, j), value in summary.cells.items() if j == 1 and value == long]
    [height] = re.findall(rf'<row r="{row + 1}"[^>]* ht="([0-9.]+)"', summary.xml)
    assert float(height) >= 15 * len(long) / 60


def test_text_that_looks_like_a_formula_stays_text(run: StandIn, tmp_path: Path) -> None:
    texts = pl.Series([text.encode("utf-8", "replace").decode() for text in HOSTILE])
    many = run.trades.head(len(HOSTILE)).with_columns(exit_reason=texts)
    spec = {**run.spec.to_dict(), "strategy": '=HYPERLINK("http://x")', "params": {"name": "=1+1"}}
    spec["space"] = {**spec["space"], "fixed": spec["params"]}
    hostile = run.but(trades=many, spec=spec, notes=HOSTILE, id="=1+1")
    book = read(export_run(hostile, tmp_path / "run.xlsx"))
    assert sum(sheet.formulas for sheet in book.sheets.values()) == 0
    cells = book.sheets["Trades"].column("Exit reason")
    assert cells[:4] == ["=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3"]
    assert cells[8] == "http://example.org"
    assert cells[12] == "<b>&\"'"
    assert cells[13] == "𝒳 \x07\x00 ?"
    assert len(cells[14]) == 32_767
    assert cells[14].endswith("…")
    assert all("<hyperlink" not in sheet.xml for sheet in book.sheets.values())

    table = pl.read_csv(export_run(hostile, tmp_path / "run.csv") / "trades.csv", infer_schema=False)
    for text in table["exit_reason"].to_list():
        assert not (text or "").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert table["exit_reason"][0] == "'=1+1"


def test_a_table_longer_than_a_sheet_is_cut_and_marked(run: StandIn, tmp_path: Path) -> None:
    path = write_workbook(run, tmp_path / "run.xlsx", max_rows=101)
    book = read(path)
    trials = book.sheets["Trials"]
    assert trials.rows == 101
    kept = sorted(value for value in trials.column("Sharpe ratio") if value is not None)
    scores = run.trials.filter(pl.col("sharpe_ratio").is_not_nan())["sharpe_ratio"].sort().to_list()
    assert kept == pytest.approx(scores[-len(kept) :], rel=1e-12)
    assert sum(trials.column("Chosen")) == run.trials["chosen"].sum() == 8
    place = list(zip(trials.column("Fold"), trials.column("Trial"), strict=True))
    assert place == sorted(place)
    message = book.sheets["Summary"].text()
    assert f"of {len(run.trials):,} trials the chosen ones and the best by Sharpe ratio are here" in message
    assert f"the first 100 of {len(run.equity):,} bars of equity are here" in message
    assert "An export to CSV or Parquet has all." in message


def test_excels_own_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.reports.export import excel

    assert excel.MAX_ROWS == 2**20
    monkeypatch.setattr(excel, "MAX_ROWS", 21)
    run = stand_in(folds=2, trials=20, bars=50)
    assert read(excel.write_workbook(run, tmp_path / "run.xlsx", max_rows=10**9)).sheets["Trials"].rows == 21


def test_stamps_before_excels_calendar_are_text(run: StandIn, tmp_path: Path) -> None:
    early = run.equity.with_columns(pl.col("timestamp").dt.offset_by("-150y"))
    sheet = read(export_run(run.but(equity=early), tmp_path / "run.xlsx")).sheets["Equity"]
    assert str(sheet.column("Timestamp")[0]).startswith("1871-")


def test_without_the_library_the_extra_is_named(run: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-research\[panel\]"'):
        export_run(run, tmp_path / "run.xlsx")
    assert export_run(run, tmp_path / "run.csv").is_dir()
