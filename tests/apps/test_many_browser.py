"""The app of many walk-forwards in a real browser: sorting, filters, a report, hostile names, a thousand rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser
HOSTILE = "<img src=y onerror=alert(2)>"
SETTINGS: dict[str, Any] = {"splitter": "calendar:6mo,2mo", "trials": 2, "workers": 2}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    series = {
        **{f"S{k:02d}": ms.synthetic_bars(500, k, "1d") for k in range(24)},
        HOSTILE: ms.synthetic_bars(500, 9, "1d"),
    }
    ms.walk_forward_many(series, "RSIStrategy", runs_dir=folder / "runs", **SETTINGS)
    return folder


@pytest.fixture(scope="module")
def address(desk: Path) -> Iterator[str]:
    with served(desk) as url:
        yield f"{url}many"


@pytest.fixture(params=["light", "dark"])
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visitor]:
    opened = Visitor(browser, f"{address}?theme={request.param}")
    opened.page.locator(".tabulator-row").first.wait_for()
    yield opened
    opened.leave()


def test_it_sorts_filters_and_opens_a_report(visit: Visitor) -> None:
    page = visit.page
    page.get_by_text("25 walk-forwards;").first.wait_for()
    assert page.locator("figure svg.spark").count() == 25
    page.locator("figure", has_text=HOSTILE).wait_for()  # as text
    page.locator(".tabulator-col[tabulator-field=sharpe_ratio]").click()
    cells = page.locator(".tabulator-row [tabulator-field=sharpe_ratio]")

    def ordered() -> bool:
        shown = [float(text) for text in cells.all_inner_texts() if text]
        return len(shown) > 5 and shown == sorted(shown)

    visit.until(ordered)
    page.get_by_label("Find").fill("S07")
    page.get_by_label("Find").press("Enter")
    page.get_by_text("1 of 25 walk-forwards").wait_for()
    assert page.locator("figure svg.spark").count() == 1
    page.locator(".tabulator-row", has_text="S07").click()
    page.get_by_role("button", name="Report").first.click()
    frame = page.frame_locator("iframe[title=Report]")
    frame.get_by_text("RSIStrategy").first.wait_for()
    page.wait_for_function("() => decodeURIComponent(location.search).includes('text=S07')")
    assert "result:" in visit.text("Papermill")
