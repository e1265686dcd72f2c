"""The Runs app in a real browser against a real server: tick, compare, report, download, delete; hostile names."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import maestro as ms
from tests.apps.runs.test_session import HOSTILE
from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs, broken ones and one of a hostile name among them."""
    folder = tmp_path_factory.mktemp("desk")
    settings: dict[str, Any] = {"trials": 8, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": folder / "runs"}
    for rule in ("EmaCrossStrategy", "RSIStrategy", "MACDStrategy", "ChannelStrategy"):
        ms.walk_forward(ms.load_sample("AAPL"), rule, **settings)
    frame = ms.load_sample("IBM").to_frame()
    hostile = ms.Bars.from_frame(frame, provider="X", symbol="<img src=y onerror=alert(2)>", timeframe="1d")
    ms.walk_forward(hostile, "BollingerBandsStrategy", **settings)
    for text in HOSTILE:
        place = folder / "runs" / text.replace("/", "_")[:200]
        place.mkdir()
        (place / "manifest.json").write_text(json.dumps({"id": text, "status": text, "spec": {"strategy": text}}))
    return folder


@pytest.fixture(scope="module")
def address(desk: Path) -> Iterator[str]:
    with served(desk) as url:
        yield f"{url}runs"


class Visit(Visitor):
    """A page of the runs, once it lists them."""

    def __init__(self, browser: Any, url: str, *, width: int = 1400, dark: bool = False) -> None:
        super().__init__(browser, f"{url}{'&' if '?' in url else '?'}theme=dark" if dark else url, width=width)
        self.rows.first.wait_for()

    @property
    def rows(self) -> Any:
        return self.page.locator(".tabulator-row")

    def row(self, text: str) -> Any:
        return self.rows.filter(has_text=text)

    def tick(self, text: str) -> None:
        self.row(text).locator("input[type=checkbox]").click()

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=False)


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    opened = Visit(browser, address)
    yield opened
    opened.leave()


def ids(desk: Path, rule: str) -> str:
    table = ms.runs.list_runs(desk / "runs")
    return str(table.filter((table["strategy"] == rule) & (table["status"] == "done"))["id"][0])


def test_ticking_runs_compares_them_and_the_address_follows(visit: Visit, desk: Path) -> None:
    page = visit.page
    visit.tick("EmaCrossStrategy")
    page.get_by_text("Growth of 1, out of sample").wait_for()
    visit.tick("RSIStrategy")
    heads = page.locator("th", has_text="RSIStrategy")
    heads.first.wait_for()
    wf = ms.load_run(ids(desk, "EmaCrossStrategy"), desk / "runs")
    total = ms.reports.compare_runs([wf]).metrics.row(0)[1]
    page.locator("tr", has_text="Total return").get_by_text(total).wait_for()
    page.locator("tr.differs", has_text="strategy").first.wait_for()
    page.wait_for_function("() => decodeURIComponent(location.search).includes('runs=')")
    assert ids(desk, "RSIStrategy") in page.url
    page.locator(".bk-tab", has_text="Python").click()
    page.get_by_text("ms.reports.compare_runs").wait_for()


def test_a_link_shows_the_same_again_and_a_filter_leaves_fewer(browser: Any, address: str, desk: Path) -> None:
    chosen = [ids(desk, rule) for rule in ("MACDStrategy", "EmaCrossStrategy")]
    visit = Visit(browser, f"{address}?runs={quote(json.dumps(chosen))}&common_stretch=true")
    visit.page.locator("th", has_text="MACDStrategy").first.wait_for()
    assert visit.page.locator(".tabulator-row.tabulator-selected").count() == 2
    visit.page.get_by_label("Find").fill("macd")
    visit.page.get_by_label("Find").press("Enter")
    visit.page.get_by_text(re.compile(r"^1 of \d+ runs; 1 chosen one is not listed$")).wait_for()
    assert visit.rows.count() == 1
    assert visit.page.locator("th", has_text="EmaCrossStrategy").first.is_visible()  # it stays chosen
    visit.leave()


def test_the_report_opens_and_draws_in_its_frame(visit: Visit) -> None:
    visit.tick("EmaCrossStrategy")
    visit.button("Report").first.click()
    frame = visit.page.frame_locator("iframe[title=Report]")
    frame.locator("[data-figures=drawn]").first.wait_for(state="attached")
    frame.get_by_text("EmaCrossStrategy").first.wait_for()
    with visit.page.expect_download() as saved:
        visit.button("Save").first.click()
    assert saved.value.suggested_filename.startswith("maestro-")
    assert saved.value.suggested_filename.endswith(".html")


def test_one_run_is_downloaded_as_excel_and_several_as_a_zip(visit: Visit, tmp_path: Path) -> None:
    visit.tick("EmaCrossStrategy")
    visit.page.get_by_text("Growth of 1, out of sample").wait_for()
    with visit.page.expect_download() as one:
        visit.button("Excel").click()
    one.value.save_as(tmp_path / "run.xlsx")
    with zipfile.ZipFile(tmp_path / "run.xlsx") as book:
        assert "xl/workbook.xml" in book.namelist()
    visit.tick("RSIStrategy")
    visit.page.get_by_text("Excel (2 in one zip)").wait_for()
    with visit.page.expect_download() as both:
        visit.button("Excel").click()
    assert both.value.suggested_filename == "maestro-runs.zip"
    both.value.save_as(tmp_path / "runs.zip")
    with zipfile.ZipFile(tmp_path / "runs.zip") as archive:
        assert len(archive.namelist()) == 2


def test_deleting_asks_and_keeping_keeps(visit: Visit, desk: Path) -> None:
    run = ids(desk, "ChannelStrategy")
    visit.tick("ChannelStrategy")
    visit.button("Delete").first.click()
    visit.page.get_by_text("These runs go to the trash").wait_for()
    visit.button("Keep").click()
    visit.page.get_by_text("These runs go to the trash").wait_for(state="hidden")
    visit.button("Delete").first.click()
    visit.page.get_by_text("These runs go to the trash").wait_for()
    visit.page.keyboard.press("Escape")
    visit.page.get_by_text("These runs go to the trash").wait_for(state="hidden")
    assert (desk / "runs" / run).exists()
    visit.button("Delete").first.click()
    visit.button("Delete 1 run").click()
    visit.row("ChannelStrategy").wait_for(state="detached")
    assert not (desk / "runs" / run).exists()


def test_hostile_names_show_as_text(visit: Visit) -> None:
    page = visit.page
    page.get_by_text("runs that cannot be opened: why").click()
    page.get_by_text("<script>alert(1)<_script>").first.wait_for()
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert page.locator("img[src=x]").count() == 0
    page.get_by_label("Find").fill("<svg onload=alert(1)>")
    page.get_by_label("Find").press("Enter")
    page.get_by_text(re.compile(r"^\d+ of \d+ runs$")).wait_for()
    visit.rows.first.locator("input[type=checkbox]").click()
    visit.button("Delete").first.click()
    page.get_by_text("These runs go to the trash").wait_for()
    visit.button("Keep").click()


def test_a_hostile_series_is_text_in_the_chart_the_tables_and_the_report(visit: Visit) -> None:
    page = visit.page
    visit.tick("BollingerBandsStrategy")
    page.locator("th", has_text="<img src=y onerror=alert(2)>").first.wait_for()
    visit.button("Report").first.click()
    frame = page.frame_locator("iframe[title=Report]")
    frame.locator("[data-figures=drawn]").first.wait_for(state="attached")
    frame.get_by_text("<img src=y onerror=alert(2)>").first.wait_for()
    assert page.locator("img[src=y]").count() == frame.locator("img[src=y]").count() == 0


def test_two_visitors_do_not_disturb_each_other(browser: Any, address: str) -> None:
    first, second = Visit(browser, address), Visit(browser, address)
    first.tick("EmaCrossStrategy")
    first.page.get_by_text("Growth of 1, out of sample").wait_for()
    assert second.page.locator(".tabulator-row.tabulator-selected").count() == 0
    assert not second.page.get_by_text("Growth of 1, out of sample").is_visible()
    first.leave()
    second.tick("MACDStrategy")
    second.page.get_by_text("Growth of 1, out of sample").wait_for()
    second.leave()


@pytest.mark.parametrize(("width", "dark"), [(1400, True), (480, False)])
def test_dark_and_narrow_pages_write_nothing_to_the_console(
    browser: Any, address: str, desk: Path, width: int, dark: bool
) -> None:
    chosen = quote(json.dumps([ids(desk, rule) for rule in ("MACDStrategy", "EmaCrossStrategy")]))
    visit = Visit(browser, f"{address}?runs={chosen}", width=width, dark=dark)
    visit.page.locator("th", has_text="MACDStrategy").first.wait_for(state="attached")
    visit.leave()
