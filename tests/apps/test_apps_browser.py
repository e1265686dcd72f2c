"""The apps in a real browser against a real server: what is shown is what the frozen lines give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
import yaml

import maestro as ms
from maestro.apps.backtest import session
from maestro.data.stores import ParquetStore, SeriesKey
from tests.apps.visiting import ROOT, Visitor, served
from tests.support.patience import GIVE_UP_MS

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store: a year of hours with funding, and a series with a hole."""
    folder = tmp_path_factory.mktemp("desk")
    store = ParquetStore(folder / "store")
    year = ms.synthetic_bars(8_760, seed=7).to_frame()
    store.append(SeriesKey("TEST", "YEAR", "1h"), year)
    store.append(SeriesKey("TEST", "HOLED", "1h"), pl.concat([year[:900], year[1_000:2_000]]))
    return folder


@pytest.fixture(scope="module")
def address(desk: Path) -> Iterator[str]:
    ledger = str(desk / "ledger")
    with served(desk, MAESTRO_STORE=str(desk / "store"), MAESTRO_LEDGER_DIR=ledger) as url:
        yield url


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    visitors: list[Visitor] = []

    def begin(name: str, **settings: Any) -> Visitor:
        plain = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
        query = "&".join(f"{key}={quote(value)}" for key, value in plain.items())
        visitors.append(Visitor(browser, f"{address}{name}?{query}"))
        return visitors[-1]

    yield begin
    for visitor in visitors:
        visitor.leave()


def metrics(visitor: Visitor) -> dict[str, str]:
    cells = visitor.page.locator("table tbody tr").all_inner_texts()
    return {row.split("\t")[0].strip(): row.split("\t")[1].strip() for row in cells if "\t" in row}


def expected(code: str, monkeypatch: pytest.MonkeyPatch, desk: Path) -> ms.Backtest:
    monkeypatch.setenv("MAESTRO_STORE", str(desk / "store"))
    names: dict[str, Any] = {}
    exec(code, names)
    return names["bt"]  # type: ignore[no-any-return]


# -- backtest ---------------------------------------------------------------------------------


def test_a_slider_moves_everything_and_the_frozen_lines_give_the_same(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, desk: Path
) -> None:
    one = visit("backtest", data="TEST:YEAR:1h")
    other = visit("backtest", data="TEST:YEAR:1h")
    one.until(lambda: len(metrics(one)) == 16)
    before = metrics(one)
    other.until(lambda: metrics(other) == before)
    slider = one.page.get_by_role("slider").first
    slider.focus()
    for _ in range(7):
        slider.press("ArrowLeft")
    one.until(lambda: "'fast': 43" in one.text("Python"))
    one.until(lambda: metrics(one) != before)
    bt = expected(one.text("Python"), monkeypatch, desk)
    assert bt.strategy is not None
    assert bt.strategy.params == {"fast": 43, "slow": 100}
    assert metrics(one) == {name: own for name, own, _ in session.table(bt)}
    assert metrics(other) == before, "two visitors do not disturb each other"
    frozen = yaml.safe_load(one.text("Papermill"))
    assert frozen["params"] == {"fast": 43}
    linked = visit("backtest", **{k: v for k, v in frozen.items() if k in ("data", "params")})
    linked.until(lambda: metrics(linked) == metrics(one))


def test_a_trade_that_is_clicked_is_shown_and_the_chart_obeys_buttons_and_keys(visit: Visit) -> None:
    one = visit("backtest", data="TEST:YEAR:1h")
    one.until(lambda: len(metrics(one)) == 16)
    whole = one.shown()
    assert whole[1] - whole[0] > 300 * 86_400
    one.page.locator(".tabulator-row").nth(2).click()
    one.until(lambda: one.shown()[1] - one.shown()[0] < 100 * 86_400)
    one.page.locator("button[data-range='1m']").click()
    one.until(lambda: 25 < (one.shown()[1] - one.shown()[0]) / 86_400 < 35)
    at = one.shown()
    chart = one.page.locator("[tabindex='0'][aria-label*='chart' i]").first
    chart.focus()
    chart.press("ArrowLeft")
    one.until(lambda: one.shown()[0] < at[0])
    wide = one.shown()[1] - one.shown()[0]
    chart.press("+")
    one.until(lambda: one.shown()[1] - one.shown()[0] < wide)


def test_an_error_is_shown_and_the_page_continues(visit: Visit) -> None:
    one = visit("backtest", data="TEST:GONE:1h")
    one.page.get_by_text("holds no bars of TEST:GONE:1h", exact=False).wait_for()
    two = visit("backtest", data="TEST:YEAR:1h", params={"fast": 90, "slow": 30})
    two.page.get_by_text("needs fast < slow", exact=False).wait_for()
    slider = two.page.get_by_role("slider").first
    slider.focus()
    slider.press("Home")
    two.until(lambda: len(metrics(two)) == 16)
    three = visit("backtest", data="TEST:YEAR:1h", strategy="Nope", colour="red")
    three.page.get_by_text("the link has 'colour'", exact=False).wait_for()


def test_an_unknown_name_in_a_link_is_reported_and_nothing_is_computed(visit: Visit) -> None:
    for name in ("backtest", "walk_forward"):
        one = visit(name, data="TEST:YEAR:1h", strategy="EmaCros")
        one.page.get_by_text("there is no strategy 'EmaCros'", exact=False).wait_for()
        one.page.get_by_text("EmaCros (unknown)").wait_for()
        one.page.wait_for_timeout(500)  # the browser once answered with the first strategy of its list
        assert "EmaCros'" in one.text("Python")
        assert not metrics(one)
        assert not one.page.locator(".tiles div").count()
    two = visit("walk_forward", data="TEST:YEAR:1h", search="tqe")
    two.page.get_by_role("alert").get_by_text("tqe", exact=False).wait_for()
    assert not two.page.locator(".tiles div").count()


_CARDS = """() => {
  const found = [], walk = root => { for (const node of root.querySelectorAll('*')) {
    const host = node.getRootNode().host, stays = host && getComputedStyle(host).position === 'sticky';
    if (node.matches('.MuiPaper-root') && !node.matches('.MuiDrawer-paper, .MuiAppBar-root') && !stays) {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      if (right > left && bottom > top) found.push([left, right, top, bottom]);
    }
    if (node.shadowRoot) walk(node.shadowRoot);
  } };
  walk(document);
  return found;
}"""


def overlapping(visitor: Visitor) -> list[Any]:
    cards = visitor.page.evaluate(_CARDS)
    assert len(cards) > 1
    return [
        (a, b) for k, a in enumerate(cards) for b in cards[:k]
        if min(a[1], b[1]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[2], b[2]) > 1
    ]  # fmt: skip


def test_no_card_covers_another_on_any_screen(visit: Visit) -> None:
    for name, drawn in {"market": ".legend", "backtest": "table tbody tr", "walk_forward": ".tiles div"}.items():
        few = {"trials": 5} if name == "walk_forward" else {}  # so that it follows its controls on a busy machine too
        one = visit(name, data="TEST:YEAR:1h", **few)
        one.page.locator(drawn).first.wait_for(state="attached")
        for width, height in ((1366, 657), (1500, 950), (420, 860)):
            one.page.set_viewport_size({"width": width, "height": height})
            one.page.wait_for_timeout(500)
            tabs = one.page.locator(".bk-tab")
            for k in range(max(1, tabs.count())):
                if tabs.count() and tabs.nth(k).is_visible():
                    tabs.nth(k).evaluate("tab => tab.click()")
                one.until(lambda one=one: not overlapping(one))


def test_a_narrow_window_shows_the_page_without_the_controls_that_would_cover_it(browser: Any, address: str) -> None:
    one = Visitor(browser, f"{address}market", width=420, height=860)
    drawer = one.page.locator(".MuiDrawer-paper")
    one.page.locator(".legend").first.wait_for(state="attached")
    one.until(lambda: not drawer.is_visible())
    one.page.locator("header button").first.click()
    one.until(drawer.is_visible)
    one.page.keyboard.press("Escape")
    one.until(lambda: not drawer.is_visible())
    one.page.set_viewport_size({"width": 1366, "height": 657})
    one.until(drawer.is_visible)
    one.leave()


_TRIED = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "${alert(4)}",
    "{{7*7}}",
)
HOSTILE = [f"{text}{n}" for n in range(10) for text in _TRIED]


def test_names_from_outside_inject_nothing(visit: Visit) -> None:
    assert len(HOSTILE) == 50
    for k in range(0, 50, 10):  # ten in one address: each setting of text takes two
        some = HOSTILE[k : k + 10]
        one = visit("backtest", data="".join(some[:4]), strategy="".join(some[4:7]), sizing="".join(some[7:]))
        one.page.get_by_role("alert").first.wait_for()
        assert one.page.locator("img[src='x'], svg[onload]").count() == 0


# -- market -----------------------------------------------------------------------------------


def test_a_market_shows_its_defects_where_they_are(visit: Visit) -> None:
    one = visit("market", data="TEST:HOLED:1h")
    row = one.page.locator(".tabulator-row").first
    row.wait_for()
    assert "gap" in row.inner_text()
    row.click()
    hole = ms.synthetic_bars(8_760, seed=7).time[900] / 1e6
    one.until(lambda: one.shown()[1] - one.shown()[0] < 20 * 86_400)
    low, high = one.shown()
    assert low < hole < high


def test_a_file_that_is_dropped_in(visit: Visit, tmp_path: Path) -> None:
    one = visit("market")
    frame = ms.synthetic_bars(200, seed=3).to_frame()
    good, bad = tmp_path / "<b>mine.csv", tmp_path / "torn.csv"
    frame.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(good)
    bad.write_text("timestamp,open\n1,x\n")
    one.page.locator("input[type=file]").set_input_files(good)
    one.page.get_by_text("200 bars", exact=False).first.wait_for()
    one.page.locator("input[type=file]").set_input_files(bad)
    one.page.get_by_role("alert").first.wait_for()
    one.page.get_by_text("200 bars", exact=False).first.wait_for()


# -- walk-forward -----------------------------------------------------------------------------


def test_a_quick_walk_forward_follows_its_controls(visit: Visit, monkeypatch: pytest.MonkeyPatch, desk: Path) -> None:
    one = visit("walk_forward", data="TEST:YEAR:1h", trials=20)
    one.page.get_by_text("Sharpe ratio", exact=True).first.wait_for()
    run = one.page.locator(".tiles div").last
    before = run.inner_text()
    one.page.get_by_role("switch", name="Windows as text").check()
    box = one.page.get_by_role("textbox", name="Text of windows")
    box.fill("rolling:6,2,1")
    box.press("Enter")
    one.until(lambda: run.inner_text() != before)
    monkeypatch.setenv("MAESTRO_STORE", str(desk / "store"))
    monkeypatch.chdir(desk)
    names: dict[str, Any] = {}
    exec(one.text("Python").replace("runs_dir='runs'", "runs_dir=None"), names)
    assert names["wf"].id[:8] in run.inner_text()
    assert len(names["wf"].folds) == 5


def test_a_run_is_watched_cancelled_and_resumed(visit: Visit, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = visit("walk_forward", data="TEST:YEAR:1h", trials=1_500)
    one.page.get_by_role("button", name="Start").click()
    one.page.get_by_text("of 9 folds", exact=False).first.wait_for()
    one.page.get_by_role("button", name="Cancel").click()
    one.page.get_by_text("Resume continues it.", exact=False).wait_for()
    one.page.get_by_role("button", name="Resume").click()
    one.page.get_by_role("button", name="Start").wait_for(timeout=GIVE_UP_MS)
    [folder] = (desk / "runs").iterdir()
    kept = ms.load_run(folder)
    monkeypatch.setenv("MAESTRO_STORE", str(desk / "store"))
    bars = ms.load("TEST:YEAR:1h")
    fresh = ms.walk_forward(bars, "EmaCrossStrategy", trials=1_500)
    assert fresh.spec == kept.spec
    assert fresh.id == kept.id
    assert fresh.folds.equals(kept.folds)
    assert fresh.trials.equals(kept.trials)
    one.page.get_by_role("button", name="Report").click()
    report = one.page.frame_locator("iframe[title=Report]")
    report.locator("[data-figures=drawn]").first.wait_for(state="attached")
    report.get_by_text(kept.id[:8], exact=False).first.wait_for()
    assert (folder / "report.html").stat().st_size > 100_000


def test_a_result_of_other_settings_is_dimmed_with_a_message(visit: Visit) -> None:
    one = visit("walk_forward", data="TEST:YEAR:1h", trials=20)
    one.page.locator(".run").wait_for()
    card = one.page.locator(".tiles").locator("xpath=..")
    opacity = """node => { let found = 1; for (let n = node; n; n = n.parentNode || n.host)
        if (n instanceof Element) found = Math.min(found, Number(getComputedStyle(n).opacity)); return found; }"""
    assert card.evaluate(opacity) == 1
    one.page.get_by_label("Follow the controls").uncheck()
    one.page.get_by_role("switch", name="Edit windows").check()
    folds = one.page.get_by_role("textbox", name="Folds")
    folds.fill("5")
    folds.press("Enter")
    one.page.get_by_text("Computed with other settings; Start computes these (5 folds, ").wait_for()
    one.until(lambda: card.evaluate(opacity) == 0.45)
    assert "windows rolling:10,2,1;" in one.page.locator(".run").inner_text()
    folds.fill("90000")
    folds.press("Enter")
    one.page.get_by_text("Folds: Rolling(90001, 2, 1) cuts", exact=False).wait_for()
    one.until(lambda: folds.input_value() == "5")
    folds.fill("9")
    folds.press("Enter")
    one.until(lambda: card.evaluate(opacity) == 1)
    two = visit("backtest", data="TEST:YEAR:1h")
    two.until(lambda: len(metrics(two)) == 16)
    two.page.get_by_role("switch", name="Edit size").check()
    share = two.page.get_by_role("textbox", name="Share of equity")
    share.fill("a lot")
    share.press("Enter")
    two.page.get_by_text("Share of equity [%]: 'a lot' is not a number above 0. 100 is kept.").wait_for()
    two.until(lambda: share.input_value() == "100")
    two.page.get_by_role("combobox", name="Size", exact=True).click()
    two.page.get_by_text("1 % of the equity at risk").click()
    two.page.get_by_text("This is the result of other settings").wait_for()
    two.until(lambda: two.page.locator("table").first.evaluate(opacity) == 0.45)


def test_a_box_shows_again_what_is_in_force(visit: Visit) -> None:
    one = visit("backtest", data="TEST:YEAR:1h")
    one.until(lambda: len(metrics(one)) == 16)
    box = one.page.get_by_role("textbox", name="Fee per side")
    for given in ("0.9", "0.8"):
        box.fill(given)
        box.press("Enter")
        one.page.get_by_text(f"Fee per side: '{given}' is not allowed", exact=False).wait_for()
        one.until(lambda: float(box.input_value()) == 0.001)
    box.fill("-0.0002")
    box.press("Enter")
    one.until(lambda: "fee=-0.0002" in one.text("Python"))
    assert one.page.get_by_text("is not allowed", exact=False).count() == 0


# -- frozen -----------------------------------------------------------------------------------


def output_of_notebook(name: str, frozen: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What papermill's run of a notebook with the frozen settings shows, as text."""
    import nbformat
    import papermill

    monkeypatch.setenv("MAESTRO_STORE", str(desk / "store"))
    monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(desk / "ledger"))
    made = desk / f"{name}.ipynb"
    papermill.execute_notebook(
        ROOT / "notebooks" / f"{name}.ipynb", made, yaml.safe_load(frozen), cwd=str(desk), progress_bar=False
    )
    outputs = [output for cell in nbformat.read(made, 4).cells for output in cell.get("outputs", ())]
    return " ".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)


@pytest.mark.filterwarnings("default")  # of papermill and its kernel
def test_a_notebook_with_the_frozen_settings_shows_the_numbers_of_the_screen(
    visit: Visit, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = visit("backtest", data="TEST:YEAR:1h", params={"fast": 12, "slow": 77}, fee=0.0004)
    one.until(lambda: len(metrics(one)) == 16)
    printed = output_of_notebook("08_backtest_report", one.text("Papermill"), desk, monkeypatch)
    for name in ("Total return", "Sharpe ratio", "Largest drawdown", "VWR"):
        assert metrics(one)[name] in printed, name
    two = visit("walk_forward", data="TEST:YEAR:1h", trials=15, strategy="RSIStrategy")
    two.page.locator(".tiles").wait_for()
    tiles = [tile.split("\n") for tile in two.page.locator(".tiles div").all_inner_texts()]
    printed = output_of_notebook("04_walk_forward_report", two.text("Papermill"), desk, monkeypatch)
    shown: dict[str, str] = dict(tiles)  # type: ignore[arg-type]
    for name in ("Sharpe ratio", "Efficiency", "Largest drawdown", "Run"):
        assert shown[name] in printed, (name, shown[name])
