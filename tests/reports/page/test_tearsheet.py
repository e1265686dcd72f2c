"""QuantStats' sheet: the right number of days, no network, no noise, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import maestro as ms
from maestro._core.processes import host_id
from maestro.errors import MissingExtraError, RunError
from maestro.reports import write_report, write_tearsheet
from tests.reports.pages import Page
from tests.reports.standin import StandIn, stand_in

pytest.importorskip("quantstats", reason='QuantStats is not installed; pip install "maestro-research[report]"')


@pytest.fixture(scope="module")
def wf() -> StandIn:
    return stand_in(folds=5, symbol="<b>&", trials=20)


def test_a_report_with_its_sheet(wf: StandIn, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    path = write_report(wf, tmp_path / "report.html", tearsheet=True)
    sheet = tmp_path / "report-tearsheet.html"
    page = Page(sheet.read_text("utf-8"))
    assert "Periods/Year: 365" in page.text
    assert "1h bars compounded to days" in page.text
    assert "EmaCrossStrategy on BITSTAMP:<b>&:1h" in page.text
    assert "Benchmark: BUY AND HOLD" in page.text
    assert page.remote() == []
    assert not page.handlers
    assert 'href="report-tearsheet.html"' in path.read_text("utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report-tearsheet.html", "report.html"]
    assert capfd.readouterr() == ("", "")
    assert dict(matplotlib.rcParams) == before


def test_quantstats_works_in_a_folder_that_names_its_process(
    wf: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import quantstats

    used: list[Path] = []
    html = quantstats.reports.html

    def watched(*values: object, output: str, **named: object) -> object:
        used.append(Path(output).parent)
        return html(*values, output=output, **named)

    monkeypatch.setattr(quantstats.reports, "html", watched)
    write_tearsheet(wf, tmp_path / "sheet.html")
    [folder] = used
    assert folder.name.startswith(f"maestro-tearsheet-{host_id()}-{os.getpid()}-")  # the next process removes it
    assert not folder.exists()


def test_the_markets_own_days_for_a_single_backtest(tmp_path: Path) -> None:
    bt = ms.backtest(ms.load_sample("AAPL"), "EmaCrossStrategy")
    page = Page(write_tearsheet(bt, tmp_path / "sheet.html").read_text("utf-8"))
    assert "Periods/Year: 252" in page.text
    assert "Returns: daily" in page.text


def test_synthetic_data_is_labelled(wf: StandIn, tmp_path: Path) -> None:
    spec = {**wf.spec.to_dict(), "bars": {**wf.spec.to_dict()["bars"], "synthetic": True}}
    path = write_tearsheet(wf.but(spec=spec), tmp_path / "sheet.html")
    assert "(synthetic data)" in Page(path.read_text("utf-8")).text


def test_the_report_explains_a_missing_tear_sheet(tmp_path: Path) -> None:
    wf = stand_in(folds=2, bars=72)
    with pytest.raises(RunError, match="6 days of returns are too few"):
        write_tearsheet(wf, tmp_path / "sheet.html")
    with pytest.warns(UserWarning, match="6 days"):
        path = write_report(wf, tmp_path / "report.html", tearsheet=True)
    assert "There is no tear sheet: 6 days of returns" in Page(path.read_text("utf-8")).text
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_returns_of_zero_make_no_sheet(tmp_path: Path) -> None:
    import polars as pl

    wf = stand_in(folds=3, trials=5)
    flat = wf.but(equity=wf.equity.with_columns(pl.lit(0.0).alias("return")))
    with pytest.raises(RunError, match="all returns are zero"):
        write_tearsheet(flat, tmp_path / "sheet.html")


def test_a_missing_library_names_its_extra(wf: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quantstats", None)
    with pytest.raises(MissingExtraError, match=r"maestro-research\[report\]"):
        write_tearsheet(wf, tmp_path / "sheet.html")


def test_a_report_alone_imports_no_quantstats() -> None:
    code = "import sys, maestro.reports.page; assert not {'quantstats', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
