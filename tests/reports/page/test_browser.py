"""The report in a real browser without a network: it draws, says nothing to the console, and asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maestro.reports import write_report
from tests.reports.standin import stand_in
from tests.support.accessibility import violations
from tests.support.patience import GIVE_UP_MS

pytestmark = pytest.mark.browser
FIGURES = 21  # one Pareto front for each of the nine folds among them


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(stand_in(failed=(4,)), tmp_path_factory.mktemp("report") / "report.html")


def _open(browser: Any, report: Path, *, width: int, scheme: str) -> tuple[Any, list[str], list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    output: list[str] = []
    asked: list[str] = []

    def refuse(route: Any) -> None:
        if route.request.url == report.as_uri():
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", refuse)
    page.on("console", lambda message: output.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: output.append(str(error)))
    page.goto(report.as_uri())
    page.wait_for_function("document.documentElement.dataset.figures === 'drawn'", timeout=GIVE_UP_MS)
    page.wait_for_timeout(300)
    return page, output, asked


_BLANK = """async () => {
    const blank = [];
    const canvases = (root) => [...root.querySelectorAll('*')].flatMap((e) =>
        (e.tagName === 'CANVAS' ? [e] : []).concat(e.shadowRoot ? canvases(e.shadowRoot) : []));
    for (const place of document.querySelectorAll('.figure')) {
        const drawn = canvases(place).filter((c) => c.width > 0 && c.height > 0).some((c) => {
            const pixels = new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer);
            return new Set(pixels).size > 3;
        });
        if (!drawn) blank.push(place.id);
    }
    return blank;
}"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_draws_everything_and_asks_nobody(browser: Any, report: Path, width: int, scheme: str) -> None:
    page, output, asked = _open(browser, report, width=width, scheme=scheme)
    assert asked == []
    assert output == []
    assert page.locator(".figure").count() == FIGURES
    assert page.evaluate(_BLANK) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(245, 246, 248)" if scheme == "light" else "rgb(14, 16, 20)")
    assert violations(page, contrast_only=scheme == "dark") == []
    page.close()


def test_the_toggle_repaints_the_figures(browser: Any, report: Path) -> None:
    from maestro.reports.figures.theme import DARK, LIGHT

    page, output, _ = _open(browser, report, width=1280, scheme="light")
    grounds = """() => [...new Set(Bokeh.documents.flatMap((d) => [...d._all_models.values()])
        .filter((m) => m.type === 'Figure' || m.type === 'Plot').map((m) => m.background_fill_color))]"""
    assert page.evaluate(grounds) == [LIGHT["surface"]]
    page.locator("button.theme").click()
    assert page.evaluate(grounds) == [DARK["surface"]]
    used = """() => JSON.stringify(Bokeh.documents.map((d) => d.to_json())).match(/#[0-9a-f]{6}/g)"""
    assert not set(page.evaluate(used)) & (set(LIGHT.values()) - set(DARK.values()))
    page.locator("button.theme").click()
    assert page.evaluate(grounds) == [LIGHT["surface"]]
    assert output == []
    page.close()


def test_it_prints(browser: Any, report: Path, tmp_path: Path) -> None:
    page, output, _ = _open(browser, report, width=1280, scheme="dark")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 50_000
    assert output == []
    page.close()
