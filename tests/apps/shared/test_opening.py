"""What a visitor sees of a page while its scripts are still on their way, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.apps.visiting import WAIT, served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_bar_and_menu_are_there_before_the_scripts(browser: Any, tmp_path: Path, theme: str) -> None:
    with served(tmp_path, MAESTRO_LEDGER_DIR=str(tmp_path / "ledger")) as url:
        context = browser.new_context(color_scheme=theme, viewport={"width": 1366, "height": 800})
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.route("**/panel.min.js*", lambda route: None)  # on its way for ever
        page.goto(f"{url}backtest?data=sample:IBM", wait_until="commit")
        loader = page.locator("#loader")
        bar = loader.locator("header")
        bar.get_by_role("link", name="Backtest").wait_for()
        assert bar.evaluate("bar => bar.getBoundingClientRect().height") == 68
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        colour = bar.evaluate("bar => getComputedStyle(bar).backgroundColor")
        assert colour == {"light": "rgb(11, 79, 125)", "dark": "rgb(16, 39, 58)"}[theme], "also at a first visit"
        bar.get_by_role("link", name="Market").click()  # the menu works already
        page.wait_for_url("**/market*", wait_until="commit")
        page.unroute("**/panel.min.js*")
        page.goto(f"{url}backtest?data=sample:IBM", wait_until="commit")
        page.get_by_role("slider").first.wait_for()
        loader.wait_for(state="hidden")
        assert bar.count() == 0, "the page's own bar took its place"
        assert page.locator("header").evaluate("bar => getComputedStyle(bar).backgroundColor") == colour
        assert page.locator("header").evaluate("bar => bar.getBoundingClientRect().height") == 68
        context.close()


def test_a_page_whose_scripts_cannot_be_loaded_says_so(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path, MAESTRO_LEDGER_DIR=str(tmp_path / "ledger")) as url:
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.route("**/*.min.js*", lambda route: route.abort())
        page.goto(f"{url}market?data=sample:IBM")
        page.get_by_role("alert").get_by_text("Resources could not be loaded.").wait_for()
        page.context.close()
