"""The home page, the theme and the Back button in a real browser, which asks no other machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser


def test_from_home_to_a_backtest_in_the_dark_and_back(browser: Any, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger")
    with served(tmp_path, MAESTRO_LEDGER_DIR=ledger) as url:
        visitor = Visitor(browser, url, ready="Recent runs", color_scheme="dark")
        page = visitor.page
        header = page.locator("header").first
        dark = "node => getComputedStyle(node).backgroundColor === 'rgb(16, 39, 58)'"
        visitor.until(lambda: header.evaluate(dark))  # as the system
        page.get_by_role("link", name="Backtest", exact=True).first.click()
        slider = page.get_by_role("slider").first
        slider.wait_for()
        assert header.evaluate(dark)
        page.locator("header button").last.click()
        visitor.until(lambda: not header.evaluate(dark))
        page.reload()
        slider.wait_for()
        assert not header.evaluate(dark), "the choice of the visitor, not the system's"
        entries = page.evaluate("history.length")
        slider.focus()
        for _ in range(4):
            slider.press("ArrowLeft")
        visitor.until(lambda: ":46" in page.url)
        assert page.evaluate("history.length") == entries + 1, "one entry for a slider that is dragged"
        page.go_back()
        visitor.until(lambda: slider.get_attribute("aria-valuenow") == "50")
        page.go_forward()
        visitor.until(lambda: slider.get_attribute("aria-valuenow") == "46")
        visitor.leave()
