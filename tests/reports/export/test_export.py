"""What is exported is what the run holds: opened again, cell by cell, whatever the texts begin with."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.errors import MissingExtraError, RunError, SettingsError
from maestro.reports.export.excel import write_workbook
from maestro.reports.export.tables import export_run
from maestro.validation.verdict.preliminary import current_verdict
from tests.reports.export.workbook import Sheet, read
from tests.reports.standin import StandIn, stand_in

TABLES = ("folds", "trials", "trades", "equity")
HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x.y\",\"z\")",
    "http://example.org", "mailto:a@b.c", "internal:Sheet1!A1", "{=1}", "<b>&\"'", "𝒳 \x07\x00 \ud800",
    "x" * 40_000, "",
)  # fmt: skip


@pytest.fixture(scope="module")
def run() -> StandIn:
    made = stand_in(failed=(4,), trials=30, bars=200)
    return made.but(notes=("The bars are synthetic.", "=1+1"))


def moments(column: list[Any]) -> list[datetime]:
    return [datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=value) for value in column]


def same(sheet: Sheet, heading: str, expected: pl.Series) -> None:
    """A column of a sheet holds what the table holds; what is no number is an empty cell."""
    cells = sheet.column(heading)
    cells += [None] * (len(expected) - len(cells))
    for got, want in zip(cells, expected.to_list(), strict=True):
        if want is None or (isinstance(want, float) and not math.isfinite(want)):
            assert got is None, heading
        elif isinstance(want, datetime):
            assert abs(moments([got])[0] - want) < timedelta(milliseconds=1)
        elif isinstance(want, float):
            assert got == pytest.approx(want, rel=1e-15)
        else:
            assert got == want


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


def test_the_summary_says_what_the_run_is_and_what_failed(run: StandIn, tmp_path: Path) -> None:
    summary = read(export_run(run, tmp_path / "run.xlsx")).sheets["Summary"]
    said = summary.text()
    for words in ("EmaCrossStrategy on BITSTAMP:BTCUSD:1h", run.id, "The bars are synthetic.", "Fold 4 failed",
                  "StrategyError: signals of a wrong shape", "ab12ab12", "maestro walk-forward"):  # fmt: skip
        assert words in said
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


def test_a_table_longer_than_a_sheet_is_cut_and_says_so(run: StandIn, tmp_path: Path) -> None:
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
    said = book.sheets["Summary"].text()
    assert f"of {len(run.trials):,} trials the chosen ones and the best by Sharpe ratio are here" in said
    assert f"the first 100 of {len(run.equity):,} bars of equity are here" in said
    assert "An export to CSV or Parquet has all." in said


def test_excels_own_limit_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maestro.reports.export import excel

    assert excel.MAX_ROWS == 2**20
    monkeypatch.setattr(excel, "MAX_ROWS", 21)
    run = stand_in(folds=2, trials=20, bars=50)
    assert read(excel.write_workbook(run, tmp_path / "run.xlsx", max_rows=10**9)).sheets["Trials"].rows == 21


def test_a_run_of_which_every_fold_failed_is_exported_too(tmp_path: Path) -> None:
    run = stand_in(folds=2, failed=(0, 1), trials=4)
    book = read(export_run(run, tmp_path / "run.xlsx"))
    assert book.sheets["Equity"].cells[1, 0] == "no equity"
    assert book.sheets["Trades"].cells[1, 0] == "no trades"
    assert "Fold 1 failed" in book.sheets["Summary"].text()
    assert export_run(run, tmp_path / "run.csv").is_dir()


def test_stamps_before_excels_calendar_are_text(run: StandIn, tmp_path: Path) -> None:
    early = run.equity.with_columns(pl.col("timestamp").dt.offset_by("-150y"))
    sheet = read(export_run(run.but(equity=early), tmp_path / "run.xlsx")).sheets["Equity"]
    assert str(sheet.column("Timestamp")[0]).startswith("1871-")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_folder_holds_every_table(run: StandIn, tmp_path: Path, form: str) -> None:
    folder = export_run(run, tmp_path / f"run.{form}")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(f"{name}.{form}" for name in (*TABLES, "metrics")), "run.json"]
    )
    for name in TABLES:
        frame: pl.DataFrame = getattr(run, name)
        if form == "parquet":
            assert pl.read_parquet(folder / f"{name}.parquet").equals(frame, null_equal=True)
            continue
        text = pl.read_csv(folder / f"{name}.csv", schema_overrides={"error": pl.String}, infer_schema_length=None)
        assert text.columns == frame.columns
        assert len(text) == len(frame)
        for column in ("equity", "pnl", "sharpe_ratio"):
            if column in frame.columns:
                np.testing.assert_array_equal(
                    text[column].cast(pl.Float64).fill_null(math.nan), frame[column].fill_null(math.nan)
                )
    record = json.loads((folder / "run.json").read_text())
    assert record["id"] == run.id
    assert record["metrics"]["turnover"] is None
    assert record["spec"]["seed"] == 7
    if form == "csv":
        assert "NaN" not in (folder / "folds.csv").read_text()
        assert (folder / "equity.csv").read_text().splitlines()[1].startswith("2021-01-17T16:00:00Z,0,")


def test_the_form_may_be_said_apart(run: StandIn, tmp_path: Path) -> None:
    assert (export_run(run, tmp_path / "export", form="parquet") / "folds.parquet").exists()
    with pytest.raises(SettingsError, match=r"end it in \.xlsx"):
        export_run(run, tmp_path / "export.ods")


def test_an_earlier_export_is_replaced_and_nothing_else(run: StandIn, tmp_path: Path) -> None:
    first = export_run(run, tmp_path / "run.csv")
    (first / "folds.csv").write_text("old")
    assert (export_run(run, first) / "folds.csv").read_text() != "old"
    (first / "mine.csv").write_text("mine")
    with pytest.raises(RunError, match=r"holds 'mine\.csv', which no export wrote"):
        export_run(run, first)
    assert (first / "mine.csv").read_text() == "mine"
    other = tmp_path / "thesis.csv"
    other.mkdir()
    (other / "chapter.txt").write_text("mine")
    with pytest.raises(RunError, match="is not an export of a run; choose another path"):
        export_run(run, other)
    assert (other / "chapter.txt").read_text() == "mine"
    (tmp_path / "file.csv").write_text("mine")
    with pytest.raises(RunError, match="is not an export of a run"):
        export_run(run, tmp_path / "file.csv")
    assert (tmp_path / "file.csv").read_text() == "mine"


def test_a_folder_with_another_run_json_and_a_link_are_left_alone(run: StandIn, tmp_path: Path) -> None:
    other = tmp_path / "project.csv"
    other.mkdir()
    (other / "run.json").write_text('{"name": "mine"}')
    with pytest.raises(RunError, match="is not an export of a run"):
        export_run(run, other)
    assert (other / "run.json").read_text() == '{"name": "mine"}'
    (tmp_path / "link.csv").symlink_to(export_run(run, tmp_path / "run.csv"))
    with pytest.raises(RunError, match="is a symbolic link"):
        export_run(run, tmp_path / "link.csv")


def test_a_workbook_replaces_workbooks_of_runs_only(run: StandIn, tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    mine = tmp_path / "year-end.xlsx"
    with xlsxwriter.Workbook(mine) as book:
        book.add_worksheet("Taxes").write(0, 0, 42)
    before = mine.read_bytes()
    with pytest.raises(RunError, match=r"year-end\.xlsx exists and is not a workbook that Maestro wrote"):
        export_run(run, mine)
    assert mine.read_bytes() == before
    (tmp_path / "text.xlsx").write_text("mine")
    with pytest.raises(RunError, match="is not a workbook"):
        export_run(run, tmp_path / "text.xlsx")
    assert export_run(run, export_run(run, tmp_path / "run.xlsx")).exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(run: StandIn, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for name in ("run.xlsx", "run.csv"):
        with pytest.raises(RunError, match=r"cannot write .*Permission denied"):
            export_run(run, tmp_path / name)


@pytest.mark.parametrize("name", ["run.xlsx", "run.csv", "run.parquet"])
def test_what_stops_in_the_middle_leaves_the_old_one_and_no_rest(
    run: StandIn, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_run(run, tmp_path / name)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"cannot write .*No space left on device"):
        export_run(run, tmp_path / name)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_a_path_below_a_file_is_refused(run: StandIn, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("run.xlsx", "run.csv"):
        with pytest.raises(RunError, match=r"cannot write .*choose a path"):
            export_run(run, tmp_path / "file" / name)


def test_without_the_library_the_extra_is_named(run: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtraError, match=r'pip install "maestro-research\[panel\]"'):
        export_run(run, tmp_path / "run.xlsx")
    assert export_run(run, tmp_path / "run.csv").is_dir()


def test_a_real_run_is_exported_from_python_and_from_the_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import maestro as ms
    from maestro.cli import _run

    settings: dict[str, Any] = {"trials": 10, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": tmp_path}
    wf = ms.walk_forward(ms.load_sample("AAPL"), "EmaCrossStrategy", **settings)
    path = wf.export(tmp_path / "run.xlsx")
    same(read(path).sheets["Equity"], "Equity", wf.equity["equity"])
    target = tmp_path / "run.parquet"
    assert _run(["runs", "export", wf.id[:6], "--to", str(target), "--runs-dir", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"export": str(target)}
    assert pl.read_parquet(target / "trials.parquet").equals(wf.trials)
    assert _run(["runs", "export", wf.id, "--to", str(tmp_path / "run.ods"), "--runs-dir", str(tmp_path)]) == 2
    assert "end it in .xlsx" in capsys.readouterr().err
    assert _run(["runs", "export", "nothing", "--to", "x.csv", "--runs-dir", str(tmp_path)]) == 1
