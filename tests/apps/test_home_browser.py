"""The home page, the theme and the Back button in a real browser, which asks no other machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import maestro as ms
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
        visitor.until(lambda: ":46" in urlsplit(page.url).query)
        assert page.evaluate("history.length") == entries + 1, "one entry for a slider that is dragged"
        page.go_back()
        visitor.until(lambda: slider.get_attribute("aria-valuenow") == "50")
        page.go_forward()
        visitor.until(lambda: slider.get_attribute("aria-valuenow") == "46")
        visitor.leave()


_OUTSIDE = """() => {
  const found = [], walk = root => { for (const node of root.querySelectorAll('*')) {
    const hidden = node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 1;
    if (hidden && getComputedStyle(node).overflowX !== 'visible') found.push(node.className);
    if (node.shadowRoot) walk(node.shadowRoot);
  } };
  walk(document);
  return found;
}"""
"""Classes of the boxes that show a part of their width only."""


def test_a_phone_shows_recent_runs_in_full(browser: Any, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    wf = ms.walk_forward(
        ms.load_sample("AAPL"), "BollingerBandsStrategy", trials=2, splitter="rolling:4,2,1", workers=1, runs_dir=runs
    )
    with served(tmp_path, MAESTRO_LEDGER_DIR=str(tmp_path / "ledger"), MAESTRO_RUNS_DIR=str(runs)) as url:
        visitor = Visitor(browser, url, ready="Recent runs", width=420, height=860)
        row = visitor.page.locator(".runs tbody tr")
        for shown in (wf.id, "BollingerBandsStrategy", "SAMPLE:AAPL:1d"):
            row.get_by_text(shown).wait_for()
        assert visitor.page.evaluate(_OUTSIDE) == []
        visitor.leave()
