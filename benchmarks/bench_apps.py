"""The apps in a real browser: first paint, menu, slider, panning, live walk-forward, 150 folds, memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

import maestro as ms
from maestro.data.stores import ParquetStore, SeriesKey
from tests.apps.visiting import Visitor, served
from tests.support.browser import chromium

ROUNDS = 15
SESSIONS = 10
_DEEP = (
    "const deep = (n) => [n, ...[...n.querySelectorAll('*')].flatMap((e) => e.shadowRoot ? deep(e.shadowRoot) : [])];"
)
# From the key that moves the slider to the frame after the metrics' table has changed.
_SLIDE = """
(slider) => new Promise((done) => {
  DEEP
  const table = deep(document).map((n) => n.querySelector('table tbody tr td:nth-child(2)')).find(Boolean);
  const place = table.getRootNode(), before = place.textContent, began = performance.now();
  const watch = new MutationObserver(() => {
    if (place.textContent === before) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  });
  watch.observe(place, {childList: true, subtree: true, characterData: true});
  setTimeout(() => done(NaN), 5000);
  const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  setter.call(slider, String(Number(slider.value) - 1));
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  slider.dispatchEvent(new Event('change', {bubbles: true}));
})
""".replace("DEEP", _DEEP)
_PAN = """
(node) => new Promise((done) => {
  const axis = node.chart.timeScale(), times = [], began = performance.now();
  let last = began, k = 0;
  axis.setVisibleLogicalRange({from: 40000, to: 42000});
  const step = () => {
    const now = performance.now(); times.push(now - last); last = now; k += 1;
    axis.setVisibleLogicalRange({from: 40000 + 25 * k, to: 42000 + 25 * k});
    if (now - began < 3000) requestAnimationFrame(step); else done(times.slice(5));
  };
  requestAnimationFrame(step);
})
"""


# Whether chart and metrics of the Backtest app are seen; asked before each frame, the driver looks twice a second.
_DRAWN = """
() => {
  DEEP
  const nodes = deep(document);
  const seen = (what) => nodes.flatMap((n) => [...n.querySelectorAll(what)]).filter((e) => e.checkVisibility());
  const here = seen('h1').some((title) => title.textContent === 'Backtest');
  return here && seen('table tbody tr td').length && seen('canvas').length && performance.now();
}
""".replace("DEEP", _DEEP)
_CLICKED = "addEventListener('click', () => { window.clicked = performance.now() }, {once: true, capture: true})"


# From the next key to the frame that shows other tiles.
_LIVE = """
() => {
  DEEP
  const tiles = () => deep(document).map((n) => n.querySelector('.tiles')).find(Boolean)?.textContent;
  const before = tiles();
  window.redrawn = new Promise((done) => document.addEventListener('keydown', () => {
    const began = performance.now();
    const look = () => {
      const now = tiles();
      if (now && now !== before) done(performance.now() - began); else requestAnimationFrame(look);
    };
    look();
    setTimeout(() => done(NaN), 20000);  // a machine so slow that the app asks for a click on Start instead
  }, {once: true, capture: true}));
}
""".replace("DEEP", _DEEP)


def first_paint(browser: Any, address: str, data: str) -> tuple[float, float]:
    """Seconds from asking for the page, nothing cached: to the first content, and to chart and metrics drawn."""
    context = browser.new_context(viewport={"width": 1500, "height": 1400})
    page = context.new_page()
    page.goto(f"{address}backtest?data={data}", wait_until="commit")
    drawn = page.wait_for_function(_DRAWN, polling="raf").json_value() / 1e3
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1e3
    context.close()
    return first, drawn


def menu(browser: Any, address: str, data: str) -> tuple[list[float], list[float]]:
    """Seconds from a click on the menu to chart and metrics drawn: an app that is opened, and one that was open."""
    opened, again = [], []
    for _ in range(5):
        visitor = Visitor(browser, f"{address}market?data={data}")
        for times in (opened, again, again):
            visitor.page.wait_for_timeout(1500)  # the page before is drawn to the end
            visitor.page.evaluate(_CLICKED)
            visitor.page.get_by_role("link", name="Backtest", exact=True).click()
            drawn = visitor.page.wait_for_function(_DRAWN, polling="raf").json_value()
            times.append((drawn - visitor.page.evaluate("window.clicked")) / 1e3)
            visitor.page.get_by_role("link", name="Market", exact=True).click()
            visitor.page.wait_for_url("**/market*")
        visitor.context.close()
    return opened, again


def live(browser: Any, address: str, data: str) -> list[float]:
    """Seconds from a new seed to the tiles of a walk-forward of 9 folds with 100 trials each."""
    visitor = Visitor(browser, f"{address}walk_forward?data={data}&splitter=rolling:10,2,1&trials=100")
    visitor.page.locator(".tiles").wait_for()
    box, times = visitor.page.get_by_label("Seed"), []
    for seed in range(1, 8):
        box.fill(str(seed))
        visitor.page.evaluate(_LIVE)
        box.press("Enter")
        times.append(visitor.page.evaluate("window.redrawn") / 1e3)
        visitor.page.wait_for_timeout(300)
    visitor.context.close()
    return times


def memory(browser: Any, address: str, data: str, server: psutil.Process) -> tuple[float, float, float]:
    """Memory of the server in MB: before, with `SESSIONS` pages open, and when their sessions have ended."""
    before = server.memory_info().rss / 1e6
    visitors = [Visitor(browser, f"{address}backtest?data={data}") for _ in range(SESSIONS)]
    for visitor in visitors:
        visitor.page.locator("table tbody tr").first.wait_for()
    during = server.memory_info().rss / 1e6
    for visitor in visitors:
        visitor.context.close()
    time.sleep(45)  # Bokeh ends an unused session after 15 s, and looks every 17 s
    return before, during, server.memory_info().rss / 1e6


def server_of(address: str) -> psutil.Process:
    """Process that serves the apps."""
    port = address.rstrip("/").rsplit(":", 1)[1]
    return next(p for p in psutil.process_iter(["cmdline"]) if port in (p.info["cmdline"] or []))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        store = ParquetStore(folder / "store")
        store.append(SeriesKey("B", "YEAR", "1h"), ms.synthetic_bars(8_760, seed=1).to_frame())
        store.append(SeriesKey("B", "LONG", "1h"), ms.synthetic_bars(100_000, seed=2).to_frame())
        settings = {"MAESTRO_STORE": str(folder / "store"), "MAESTRO_LEDGER_DIR": str(folder / "ledger")}
        with served(folder, **settings) as address, chromium() as browser:
            for _ in range(2):
                first_paint(browser, address, "B:YEAR:1h")
            paints = [first_paint(browser, address, "B:YEAR:1h") for _ in range(5)]
            first, drawn = (statistics.median(times) for times in zip(*paints, strict=True))
            print(
                f"first paint, 8,760 bars, warm server      {first:8.2f} s    (to reach: 1.5 s); "
                f"chart and metrics drawn {drawn:.2f} s"
            )
            before, during, after = memory(browser, address, "B:YEAR:1h", server_of(address))
            print(
                f"memory of the server                      {before:8.0f} MB   (to reach: 200 MB); a session "
                f"{(during - before) / SESSIONS:.1f} MB (5 MB); {after:.0f} MB when {SESSIONS} sessions have ended"
            )
            opened, again = menu(browser, address, "B:YEAR:1h")
            print(
                f"menu, from Market to Backtest             {statistics.median(again):8.2f} s    (to reach: 0.3 s); "
                f"worst {max(again):.2f} s; opened for the first time {statistics.median(opened):.2f} s"
            )
            visitor = Visitor(browser, f"{address}backtest?data=B:YEAR:1h")
            visitor.page.locator("table tbody tr").first.wait_for()
            slider = visitor.page.locator("input[type=range]").first
            slides = []
            for _ in range(ROUNDS):
                slides.append(float(slider.evaluate(_SLIDE)))
                visitor.page.wait_for_timeout(150)
            print(
                f"slider to redraw, 8,760 bars, median      {statistics.median(slides):8.0f} ms   (to reach: 80 ms); "
                f"best {min(slides):.0f}, worst {max(slides):.0f}"
            )
            visitor.context.close()
            long = Visitor(browser, f"{address}market?data=B:LONG:1h")
            host = long.page.locator(".legend").locator("xpath=../..")
            frames = host.evaluate(_PAN)
            print(
                f"panning 100,000 candles                   {1000 / statistics.mean(frames):8.0f} frames a second "
                f"(to reach: 30); slowest frame {max(frames):.0f} ms"
            )
            long.context.close()
            times = live(browser, address, "B:YEAR:1h")
            print(
                f"live walk-forward of 900 trials, median   {statistics.median(times):8.2f} s    (to reach: 0.6 s); "
                f"best {min(times):.2f}, worst {max(times):.2f}"
            )
            began = time.perf_counter()
            many = Visitor(browser, f"{address}walk_forward?data=B:YEAR:1h&splitter=rolling:151,2,1&trials=10")
            many.page.locator(".tiles").wait_for()
            print(f"150 folds x 10 trials, from link to result {time.perf_counter() - began:7.2f} s")
            many.context.close()


if __name__ == "__main__":
    main()
