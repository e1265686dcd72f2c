"""The apps by axe-core, in light and dark, and by keyboard, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import maestro as ms
from tests.apps.visiting import Visitor, served
from tests.support.accessibility import violations
from tests.support.patience import GIVE_UP

pytestmark = pytest.mark.browser
SETTINGS: dict[str, Any] = {"splitter": "rolling:4,2,1", "trials": 2, "workers": 1}
APPS = (
    ("home", "", ".scroll"),
    ("market", "&data=sample:AAPL", ".tabulator-row"),
    ("backtest", "&data=sample:AAPL&regimes=true", ".tabulator-row"),
    ("walk_forward", "&data=sample:AAPL&splitter=rolling:4,2,1&trials=2", ".tiles"),  # a finished run
    ("many", "", ".tabulator-row"),
    ("runs", "", ".tabulator-row"),
)
TABS = {"light": ("Folds", "Verdict", "Decision"), "dark": ("Folds", "Verdict")}
FOCUSED = """() => {
    let node = document.activeElement;
    while (node.shadowRoot && node.shadowRoot.activeElement) node = node.shadowRoot.activeElement;
    return `${node.tagName.toLowerCase()}.${node.className} ${node.textContent.trim().slice(0, 30)}`;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("desk")
    for rule in ("EmaCrossStrategy", "RSIStrategy"):
        ms.walk_forward(ms.load_sample("AAPL"), rule, runs_dir=folder / "runs", **SETTINGS)
    series = {f"S{k}": ms.synthetic_bars(500, k, "1d") for k in range(3)}
    ms.walk_forward_many(
        series, "RSIStrategy", runs_dir=folder / "runs", splitter="calendar:6mo,2mo", trials=2, workers=1
    )
    with served(folder, MAESTRO_LEDGER_DIR=str(folder / "ledger")) as url:
        yield url


def _check(visitor: Visitor, theme: str, where: str) -> None:
    """No violation is left once colours and content have settled; all rules in light, colours alone in dark."""
    found: list[str] = []

    def clean() -> bool:
        found[:] = violations(visitor.page, contrast_only=theme == "dark")
        return not found

    try:
        visitor.until(clean, GIVE_UP / 5)
    except AssertionError:
        pytest.fail("\n".join((f"{where}, {theme}:", *found)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_critical_or_serious_in_any_app(browser: Any, address: str, theme: str) -> None:
    for name, query, drawn in APPS:
        ready = "Recent runs" if name == "home" else "Freeze"
        visitor = Visitor(browser, f"{address}{name}?theme={theme}{query}", ready=ready, height=900)
        page = visitor.page
        page.locator(drawn).first.wait_for()
        toggle = page.get_by_label("Toggle theme")  # axe-core does not see icons
        visitor.until(
            lambda toggle=toggle: toggle.evaluate("node => getComputedStyle(node).color") == "rgb(255, 255, 255)"
        )
        if name == "runs":
            for box in page.locator(".tabulator-row input[type=checkbox]").all()[:2]:
                box.click()
            page.get_by_text("Growth of 1, out of sample").wait_for()
        _check(visitor, theme, name)
        for tab in TABS[theme] if name == "walk_forward" else ():
            page.locator(".bk-tab[role=tab]", has_text=tab).first.click()
            page.locator(".bk-tab[aria-selected=true]", has_text=tab).wait_for()
            _check(visitor, theme, f"{name}, {tab}")
        if name == "runs":
            page.get_by_role("button", name="Delete").first.click()
            page.get_by_text("These runs go to the trash").wait_for()
            _check(visitor, theme, "the dialog of runs")
        visitor.leave()


def test_every_part_of_a_page_is_reached_and_used_by_keyboard(browser: Any, address: str) -> None:
    visitor = Visitor(browser, f"{address}backtest?data=sample:AAPL")
    page = visitor.page
    page.locator(".tabulator-row").first.wait_for()
    page.locator("[role=grid]").first.wait_for()
    page.locator(".bk-tab[role=tab]").first.wait_for()
    passed: list[str] = []
    while not passed or "Save the YAML" not in passed[-1]:
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUSED))
        assert not passed[-1].startswith("body."), f"the focus is lost after {passed[-2:]}"
        assert len(passed) < 120, passed
    names = " ".join(passed)
    assert "tabulator-tableholder" in names
    assert "tabulator-page" in names
    assert names.count("bk-tab") == 1, "one stop of the tabs"

    # Rows: down, and Enter goes to the trade; up to the headers, and Enter sorts.
    shown = visitor.shown()
    page.locator(".tabulator-tableholder").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".tabulator-row").nth(1)
    assert second.evaluate("row => row === row.getRootNode().activeElement")
    page.keyboard.press("Enter")
    visitor.until(lambda: visitor.shown() != shown)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    head = page.locator(".tabulator-col[tabulator-field=side]")
    assert head.evaluate("head => head === head.getRootNode().activeElement")
    page.keyboard.press("Enter")
    visitor.until(lambda: head.get_attribute("aria-sort") != "none")

    # Tabs: arrows move, Enter and Space open, and the way back leads to the tab that is open.
    link, python, papermill = (page.get_by_role("tab", name=name) for name in ("Link", "Python", "Papermill"))
    link.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert link.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.locator("pre", has_text="import maestro").wait_for()
    assert python.get_attribute("aria-selected") == "true"
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.locator("pre", has_text="# maestro").wait_for()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    visitor.until(lambda: link.get_attribute("aria-selected") == "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert "Link" in page.evaluate(FOCUSED)
    assert papermill.get_attribute("tabindex") == "-1"

    # A select: its options are options, and Enter takes one.
    page.get_by_role("combobox", name="Series").focus()
    page.keyboard.press("Enter")
    page.get_by_role("option", name="sample:AAPL", selected=True).wait_for()
    page.get_by_role("option", name="sample:IBM", selected=False).press("Enter")
    visitor.until(lambda: "data=sample:IBM" in page.url)
    visitor.leave()
