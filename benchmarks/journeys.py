"""Five tasks of a user in a real browser, from the home page on: clicks and seconds of each.

``python -m benchmarks journeys`` runs all and writes the table of docs/journeys.md; with names (``own_csv resume``) it
runs those and only prints. The seconds include the work of the server: pages, backtests, the verdict. Dropping a file
counts as one click, and so does choosing from a list.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import maestro as ms
from maestro.errors import RunCancelled
from maestro.execution import events
from tests.apps.visiting import Visitor, wait_until_served
from tests.support.browser import chromium

RULE = '''"""A user-defined strategy."""

import maestro as ms


class TwoAverages(ms.Strategy):
    """Long while the quick average is above the slow one, short while it is below."""

    fast = ms.Int(10, 5, 50)
    slow = ms.Int(60, 20, 200)
    constraints = (ms.Constraint("fast < slow", lambda p: p.fast < p.slow),)

    def warmup(self, params):
        return params.slow

    def signals(self, bars):
        fast, slow = ms.indicators.sma(bars.close, self.fast), ms.indicators.sma(bars.close, self.slow)
        return ms.Signals.flip(ms.indicators.crosses_above(fast, slow), ms.indicators.crosses_below(fast, slow))
'''
PAGE = Path(__file__).parents[1] / "docs" / "journeys.md"
MARKS = ("<!-- results: begin -->", "<!-- results: end -->")
NOT_TIMED = "not timed"
BEFORE = {  # what the history of the repository has; nobody counted clicks then
    "own_strategy": "not possible in the apps: built-in strategies only",
    "plateau": "not possible in the apps: no heat map",
    "resume": "not possible from a list of runs: no link to Resume",
}
SETTINGS: dict[str, Any] = {"splitter": "rolling:10,2,1", "trials": 100}


class Row(NamedTuple):
    """What one task took."""

    name: str
    title: str
    clicks: int
    seconds: float
    found: str


class Journey(Visitor):
    """A visitor whose clicks are counted."""

    def __init__(self, browser: Any, address: str) -> None:
        self.clicks, self.began = 0, time.perf_counter()
        super().__init__(browser, address, ready="Recent runs", height=1_000)

    def click(self, place: Any) -> None:
        place.click()
        self.clicks += 1

    def app(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)
        self.page.get_by_text("Freeze", exact=False).first.wait_for()

    def drop(self, path: Path) -> None:
        self.page.locator("input[type=file]").first.set_input_files(path)
        self.clicks += 1

    def result(self) -> None:
        """Wait for the result; start the run where it does not follow the controls."""
        tiles, asks = self.page.locator(".tiles").first, self.page.get_by_text("Start computes these")
        self.until(lambda: tiles.is_visible() or asks.is_visible())
        if not tiles.is_visible():
            self.click(self.page.get_by_role("button", name="Start", exact=True))
            tiles.wait_for()

    def verdict(self) -> str:
        """Ask for the verdict; returns its headline."""
        button = self.page.get_by_role("button", name="Verdict", exact=True)
        self.until(button.is_enabled)
        self.click(button)
        self.page.locator(".verdict .grade:not(.preliminary)").first.wait_for()
        return str(self.page.locator(".verdict .headline").first.inner_text())


def own_csv(journey: Journey, folder: Path) -> str:
    """From a CSV file to a verdict."""
    journey.app("Walk-forward")
    journey.drop(folder / "my_prices.csv")
    journey.page.locator("p.run", has_text="my_prices").wait_for()
    journey.result()
    return journey.verdict()


def own_strategy(journey: Journey, folder: Path) -> str:
    """From a strategy file to a verdict."""
    journey.app("Walk-forward")
    journey.page.locator("p.run", has_text="TwoAverages").wait_for()
    journey.result()
    return journey.verdict()


def plateau(journey: Journey, folder: Path) -> str:
    """Find the best parameters and whether they lie on a plateau."""
    journey.app("Walk-forward")
    journey.result()
    journey.click(journey.page.get_by_role("link", name="Backtest the last fold", exact=False))
    switch = journey.page.get_by_label("Show the heat map", exact=False)
    switch.wait_for()
    journey.click(switch)
    answer = journey.page.locator("p b", has_text="neighbour").first
    answer.wait_for()
    return str(answer.inner_text())


def resume(journey: Journey, folder: Path) -> str:
    """Resume yesterday's run."""
    row = journey.page.locator("tr", has_text="interrupted").first
    journey.click(row.get_by_role("link", name="Resume", exact=True))
    journey.page.locator(".tiles").first.wait_for()
    return str(journey.page.locator("p.run").first.inner_text())


def share(journey: Journey, folder: Path) -> str:
    """Share a report with a colleague, who opens the file."""
    row = journey.page.locator("tr", has_text="done").first
    journey.click(row.locator("a"))
    report = journey.page.get_by_role("button", name="Report", exact=True)
    journey.until(report.is_enabled)
    journey.click(report)
    save = journey.page.get_by_role("button", name="Save", exact=True)
    save.wait_for()
    with journey.page.expect_download() as download:
        journey.click(save)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    colleague = journey.context.new_page()
    colleague.goto(path.as_uri())
    colleague.locator("[data-figures=drawn]").first.wait_for(state="attached")
    return f"{path.stat().st_size / 2**20:.1f} MB, {colleague.title()}"


JOURNEYS: tuple[Callable[[Journey, Path], str], ...] = (own_csv, own_strategy, plateau, resume, share)


def prepare(folder: Path) -> None:
    """Write a CSV, a strategy file, a finished run and an interrupted one."""
    ms.load_sample("IBM").to_frame().write_csv(folder / "my_prices.csv")
    (folder / "rules").mkdir()
    (folder / "rules" / "two_averages.py").write_text(RULE)
    bars, runs = ms.load_sample("AAPL"), folder / "runs"
    ms.walk_forward(bars, "RSIStrategy", runs_dir=runs, **SETTINGS)
    cancel = threading.Event()
    try:
        ms.walk_forward(
            bars, "MACDStrategy", runs_dir=runs, executor="serial", cancel=cancel, **SETTINGS,
            progress=lambda event: cancel.set() if isinstance(event, events.FoldDone) else None,
        )  # fmt: skip
    except RunCancelled:
        return
    raise RuntimeError("the run was not cancelled")


@contextmanager
def apps(folder: Path) -> Iterator[str]:
    """``maestro app --strategy rules`` in `folder`; gives the address of the home page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "maestro", "app", "--port", str(port), "--no-show", "--strategy", "rules"]
    environment = {**os.environ, "MAESTRO_STATE_DIR": str(folder / "state")}
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_served(server, port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def lines(rows: list[Row]) -> list[str]:
    """The table of the page."""
    text = ["| task | clicks | seconds | result | before |", "|---|---|---|---|---|"]
    for row in rows:
        found = " ".join(row.found.split()).replace("|", "/")
        before = BEFORE.get(row.name, NOT_TIMED)
        text.append(f"| {row.title} | {row.clicks} | {row.seconds:.1f} | {found} | {before} |")
    return text


def write(text: str, page: Path = PAGE) -> None:
    """Replace the table of the page, and nothing else."""
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    page.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")


def main(names: list[str]) -> int:
    """Perform the tasks, print what each one took, and write the page after a complete run."""
    known = [task.__name__ for task in JOURNEYS]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no journey {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["MAESTRO_LEDGER_DIR"] = str(folder / "ledger")
        prepare(folder)
        with apps(folder) as address, chromium() as browser:
            Journey(browser, address).context.close()  # the first page of a server loads its libraries
            for task in JOURNEYS:
                if names and task.__name__ not in names:
                    continue
                journey = Journey(browser, address)
                found = task(journey, folder)
                seconds = time.perf_counter() - journey.began
                title = (task.__doc__ or "").rstrip(".")
                rows.append(Row(task.__name__, title, journey.clicks, seconds, found))
                print(lines(rows[-1:])[-1], flush=True)
                journey.leave()
    if not names:
        load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores{load}."
        write("\n".join([*lines(rows), "", measured]))
        print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
