"""A run as a folder of tables or a workbook: what is replaced, and what is left alone."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.errors import RunError, SettingsError
from maestro.reports.export.tables import export_run
from tests.reports.export.reading import TABLES, same
from tests.reports.export.workbook import read
from tests.reports.standin import StandIn, stand_in


def test_a_run_of_which_every_fold_failed_is_exported_too(tmp_path: Path) -> None:
    run = stand_in(folds=2, failed=(0, 1), trials=4)
    book = read(export_run(run, tmp_path / "run.xlsx"))
    assert book.sheets["Equity"].cells[1, 0] == "no equity"
    assert book.sheets["Trades"].cells[1, 0] == "no trades"
    assert "Fold 1 failed" in book.sheets["Summary"].text()
    assert export_run(run, tmp_path / "run.csv").is_dir()


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


def test_the_form_may_be_an_argument(run: StandIn, tmp_path: Path) -> None:
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
    assert _run(["runs", "export", "nothing", "--to", "x.csv", "--runs-dir", str(tmp_path)]) == 2
