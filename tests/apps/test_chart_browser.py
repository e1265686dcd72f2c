"""The chart and the page in a real browser: keys, ranges, theme, legend; and texts from outside that stay text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps import visiting
from tests.apps.runs.test_session import HOSTILE
from tests.apps.visiting import Visitor, served

pytestmark = pytest.mark.browser

SCRIPT = """
import panel as pn
import maestro as ms
from maestro.apps.chart import Chart, Line, Pane
from maestro.apps.shared.freeze import Freeze
from maestro.apps.market.state import MarketState
from maestro.apps.shared.page import Message, card, page

pn.extension("tabulator")
texts = {texts!r}
bars = ms.synthetic_bars(2_000, seed=1)
chart = Chart(bars, height=500)
chart.set_panes([Pane("volume", [Line("volume", bars.time, bars.volume, color=["#0f7fbf99", "#cc4e0099"] * 1_000,
                                      kind="histogram", format="volume")]),
                 *(Pane("price", [Line(text, bars.time, bars.close * (1 + k / 500))])
                   for k, text in enumerate(texts))])
chart.set_trades(ms.backtest(bars, "EmaCrossStrategy", params=dict(fast=5, slow=20)).trades)
messages = []
for text in texts:
    messages.append(Message())
    messages[-1].say(text)
state = MarketState(data="".join(texts[:3]))
other = pn.widgets.Button(name="another series")
other.on_click(lambda _: chart.set_bars(ms.load_sample("AAPL")))
page("market", [], [chart, other, *messages, *(card(text) for text in texts), Freeze(state)]).servable()
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "widgets").mkdir()
    (folder / "widgets" / "hostile.py").write_text(SCRIPT.format(texts=HOSTILE))
    (folder / "widgets" / "calm.py").write_text(SCRIPT.format(texts=("EMA 20",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visiting, "ROOT", folder)
        with served(folder) as url:
            yield url


@pytest.fixture
def calm(browser: Any, address: str) -> Iterator[Visitor]:
    visitor = Visitor(browser, f"{address}calm")
    visitor.page.locator("[data-ready=yes]").wait_for(state="attached")
    yield visitor
    visitor.leave()


def days(visitor: Visitor) -> float:
    start, end = visitor.shown()
    return (end - start) / 86_400


def test_keys_move_zoom_and_go_to_the_ends(calm: Visitor) -> None:
    chart = calm.page.get_by_role("application")
    chart.focus()
    calm.page.locator("button[data-range='1m']").click()
    calm.until(lambda: 28 < days(calm) < 32)
    chart.focus()
    for key, moved in (
        ("ArrowLeft", lambda a, b: b[0] < a[0] and b[1] < a[1]), ("ArrowRight", lambda a, b: b[0] > a[0]),
        ("+", lambda a, b: b[1] - b[0] < a[1] - a[0]), ("-", lambda a, b: b[1] - b[0] > a[1] - a[0]),
        ("Home", lambda a, b: b[0] < a[0]), ("End", lambda a, b: b[1] > a[1]),
    ):  # fmt: skip
        before = calm.shown()
        chart.press(key)
        calm.until(lambda before=before, moved=moved: moved(before, calm.shown()))


def test_the_button_of_the_visible_range_is_pressed(calm: Visitor) -> None:
    whole = days(calm)
    pressed = calm.page.locator(".ranges button[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["all"]
    for name, length in (("1w", 7), ("3m", 91), ("all", whole)):
        calm.page.get_by_role("button", name=name, exact=True).click()
        calm.until(lambda length=length: 0.8 * min(length, whole) <= days(calm) <= 1.1 * length)
        assert pressed.all_inner_texts() == [name]
    calm.page.get_by_role("application").press("ArrowLeft")
    calm.until(lambda: pressed.count() == 0)


def test_a_wider_window_shows_the_same_stretch_of_time(calm: Visitor) -> None:
    before, canvas = calm.shown(), calm.page.locator("canvas").first
    narrow = canvas.bounding_box()["width"]
    calm.page.set_viewport_size({"width": 2_400, "height": 1_400})
    calm.until(lambda: canvas.bounding_box()["width"] > 1.3 * narrow)
    assert calm.shown() == before


def test_the_price_scale_is_that_of_the_series_and_a_button_changes_it(calm: Visitor) -> None:
    host, button = (
        calm.page.locator(".legend").locator("xpath=../.."),
        calm.page.get_by_role("button", name="Log", exact=True),
    )

    def scale() -> tuple[int, str | None]:
        mode = host.evaluate("host => host.chart.panes()[0].getSeries()[0].priceScale().options().mode")
        return mode, button.get_attribute("aria-pressed")

    assert scale() == (0, "false")
    button.click()
    assert scale() == (1, "true")
    button.click()
    assert scale() == (0, "false")
    calm.page.get_by_role("button", name="another series").click()  # Apple rose to twenty-five times its price
    calm.until(lambda: scale() == (1, "true"))


def test_the_legend_has_the_last_bar_or_that_under_the_crosshair(calm: Visitor) -> None:
    legend = calm.page.locator(".legend")
    last = legend.inner_text()
    assert "EMA 20" in last
    assert "volume" in last
    calm.page.get_by_role("application").hover(position={"x": 200, "y": 100})
    calm.until(lambda: legend.inner_text() != last)
    assert "EMA 20" in legend.inner_text()
    calm.page.get_by_role("navigation", name="Apps").hover()
    calm.until(lambda: legend.inner_text() == last)
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d\s", last)
    calm.page.get_by_role("button", name="another series").click()
    calm.until(lambda: re.match(r"2013-03-01\s+O", legend.inner_text()) is not None)  # of days: without a time


def test_a_trade_has_a_tooltip_and_the_chart_is_saved_as_a_picture(calm: Visitor, tmp_path: Path) -> None:
    calm.page.get_by_role("button", name="1w").click()
    calm.until(lambda: days(calm) < 8)
    body, tip = calm.page.locator(".body"), calm.page.locator(".tip")
    assert not tip.is_visible()
    x, y = body.evaluate(
        "node => { const chart = node.parentElement.chart, series = chart.panes()[0].getSeries()[0];"
        " const t = node.parentElement.trades(), axis = chart.timeScale(), shown = axis.getVisibleRange();"
        " const k = t.entry.findIndex((time, i) => time > shown.from && t.exit[i] < shown.to);"
        " const box = node.getBoundingClientRect();"
        " return [box.x + (axis.timeToCoordinate(t.entry[k]) + axis.timeToCoordinate(t.exit[k])) / 2,"
        " box.y + (series.priceToCoordinate(t.entry_price[k]) + series.priceToCoordinate(t.exit_price[k])) / 2]; }"
    )
    calm.page.mouse.move(x, y)
    tip.wait_for()
    first, entry, exit_, profit = tip.inner_text().split("\n")
    assert "trade " in first
    assert "bar" in first
    assert (entry[:5], exit_[:4], profit[:6]) == ("Entry", "Exit", "Profit")
    assert " by " in exit_
    calm.page.mouse.move(2, 2)
    tip.wait_for(state="hidden")
    with calm.page.expect_download() as found:
        calm.page.get_by_role("button", name="PNG").click()
    found.value.save_as(tmp_path / "chart.png")
    picture = (tmp_path / "chart.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    height, shown = int.from_bytes(picture[20:24], "big"), body.evaluate("node => node.clientHeight")
    assert height == shown + 34, "its name stands above it"
    calm.page.get_by_role("button", name="Full screen").click()
    leave = calm.page.get_by_role("button", name="Leave full screen")
    leave.click()
    calm.page.get_by_role("button", name="Full screen", exact=True).wait_for()


def test_the_chart_follows_the_theme_of_the_page(calm: Visitor) -> None:
    ground = (
        "host => { const c = host.chart.options(); const s = host.chart.panes()[0].getSeries()[0].options();"
        " return [c.layout.background.color, s.upColor]; }"
    )
    host = calm.page.locator(".legend").locator("xpath=../..")
    light = host.evaluate(ground)
    calm.page.get_by_role("button", name="Toggle theme").click()
    calm.until(lambda: host.evaluate(ground) != light)
    assert light == ["#ffffff", "#0f7fbf"]
    assert host.evaluate(ground) == ["#171a20", "#4aa8e0"]


def test_texts_from_outside_stay_text_on_the_page(browser: Any, address: str) -> None:
    visitor = Visitor(browser, f"{address}hostile")
    visitor.page.locator("[data-ready=yes]").wait_for(state="attached")
    legend = visitor.page.locator(".legend").inner_text()
    for text in HOSTILE:
        assert text.strip() in legend
    alerts = visitor.page.get_by_role("alert")
    assert alerts.all_inner_texts() == [text.strip() for text in HOSTILE]
    found = visitor.page.locator("img[src=x], svg[onload], body[onload] body, math, a[href^=javascript], iframe, h7")
    assert found.count() == 0
    visitor.leave()
