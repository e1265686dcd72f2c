"""From app to app in a real browser without a new page load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return `${node.tagName} ${node.textContent}`;
}"""
"""What has the focus, through all shadows."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("navigation")
    with served(folder, MAESTRO_LEDGER_DIR=str(folder / "ledger")) as address:
        yield address


def click(visitor: Visitor, name: str) -> None:
    """Click on the menu, and wait until that app is shown."""
    visitor.page.get_by_role("link", name=name, exact=True).first.click()
    shown(visitor, name)


def shown(visitor: Visitor, name: str) -> None:
    """Wait until one app is shown, drawn to the end, and no other; the tab has its name."""
    heading = visitor.page.get_by_role("heading", level=1)  # what is hidden or not drawn yet has none
    visitor.until(lambda: heading.all_inner_texts() == [name] and not visitor.page.locator("[inert]").count())
    assert visitor.page.title() == name


def test_the_menu_leads_back_to_each_app_as_it_was_left(browser: Any, url: str) -> None:
    visitor = Visitor(browser, f"{url}walk_forward?strategy=BollingerBandsStrategy&splitter=rolling:5,2,1&trials=7")
    page = visitor.page
    page.evaluate("window.mark = 'the first page load'")
    click(visitor, "Backtest")
    visitor.until(lambda: page.evaluate(FOCUSED) == "H1 Backtest")  # a screen reader says where it is
    page.get_by_role("slider").first.wait_for()
    assert "strategy=BollingerBandsStrategy" in page.url
    page.get_by_role("combobox", name="Series").click()
    page.get_by_role("option", name="sample:IBM").click()
    visitor.until(lambda: "data=sample:IBM" in page.url)
    page.get_by_role("button", name="Toggle theme").click()
    dark = "node => getComputedStyle(node).backgroundColor === 'rgb(16, 39, 58)'"
    header = page.locator("header >> visible=true").first
    visitor.until(lambda: header.evaluate(dark))

    click(visitor, "Walk-forward")  # kept: its windows and trials are its own, series and theme came along
    visitor.until(lambda: "data=sample:IBM" in page.url)
    assert {"strategy=BollingerBandsStrategy", "splitter=rolling:5,2,1", "trials=7"} <= set(
        page.url.split("?")[1].split("&")
    )
    visitor.until(lambda: header.evaluate(dark))
    assert page.get_by_label("Trials per fold").input_value() == "7"
    page.get_by_text("on SAMPLE:IBM:1d").filter(visible=True).first.wait_for()

    assert page.evaluate(FOCUSED) == "H1 Walk-forward"
    click(visitor, "Runs")
    page.go_back()
    shown(visitor, "Walk-forward")
    page.go_back()
    shown(visitor, "Backtest")
    page.go_forward()
    shown(visitor, "Walk-forward")
    assert "trials=7" in page.url
    assert page.evaluate("window.mark") == "the first page load"
    assert page.evaluate("Bokeh.documents.length") == 3
    visitor.leave()


def test_links_of_a_page_replace_a_kept_one_and_the_home_page_is_not_kept(browser: Any, url: str) -> None:
    visitor = Visitor(browser, f"{url}home", ready="Recent runs")
    page = visitor.page
    documents = "Bokeh.documents.length"
    for series in ("AAPL", "IBM"):
        row = page.locator("tr", has_text=f"sample:{series}")
        row.get_by_role("link", name="Market").click()
        shown(visitor, "Market")
        page.get_by_text(f"SAMPLE:{series}:1d").first.wait_for()
        assert page.evaluate(documents) == 1
        page.go_back()
        page.get_by_text("Recent runs").wait_for()
        assert page.evaluate(documents) == 2
    with visitor.context.expect_page() as opened:
        page.locator("tr", has_text="sample:IBM").get_by_role("link", name="Market").click(modifiers=["Control"])
    assert opened.value.evaluate("window.maestroNavigation === undefined || Bokeh.documents.length === 1")
    assert page.get_by_text("Recent runs").is_visible()
    visitor.leave()


def test_a_page_that_is_not_an_app_is_loaded_as_usual(browser: Any, url: str) -> None:
    visitor = Visitor(browser, f"{url}market")
    page = visitor.page
    login = "<html><body><h1>Log in</h1></body></html>"
    page.route("**/runs*", lambda route: route.fulfill(status=200, content_type="text/html", body=login))
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("heading", name="Log in").wait_for()
    assert page.url == f"{url}runs"
    page.go_back()
    shown(visitor, "Market")
    visitor.leave()
