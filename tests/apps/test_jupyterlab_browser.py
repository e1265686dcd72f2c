"""Apps in JupyterLab: in a cell, following its controls, and as tiles; nothing leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import pytest

import maestro as ms
from maestro.apps.shared.page import APPS
from maestro.data.stores.questdb_server import free_port
from tests.support.patience import GIVE_UP, GIVE_UP_MS

pytestmark = pytest.mark.filterwarnings("default")  # of Jupyter's parts among themselves
FIGURE = """
import maestro as ms
bars = ms.load("sample:IBM", start="2005")
ms.reports.show(ms.reports.backtest_figure(ms.backtest(bars, "EmaCrossStrategy")))
"""
CELL = """
app = ms.app("backtest", bars, params={"fast": 20, "slow": 60})
app
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab with a notebook: a figure, an app, its settings, a figure again, and another app."""
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    texts = (FIGURE, CELL, "print(app.settings()['params'])", FIGURE, "ms.app('market', bars)")
    cells = [nbformat.v4.new_code_cell(text) for text in texts]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "app.ipynb")
    own = {
        name: str(folder / name)
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_RUNTIME_DIR",
            "MAESTRO_LEDGER_DIR",
            "HOME",
            "JUPYTERLAB_SETTINGS_DIR",
        )
    }
    command = [
        sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=t", f"--notebook-dir={folder}",
    ]  # fmt: skip
    address = f"http://127.0.0.1:{port}/lab"
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **own})
    try:
        for _ in range(240):
            try:
                urlopen(f"{address}?token=t", timeout=5).close()
                break
            except (URLError, OSError):
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(GIVE_UP)


def test_an_app_in_a_cell_follows_its_controls_without_a_network(browser: Any, lab: str) -> None:
    page = browser.new_context(viewport={"width": 1500, "height": 1400}).new_page()
    page.set_default_timeout(GIVE_UP_MS)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(f"{lab}/tree/app.ipynb?token=t")
    page.get_by_text("params=", exact=False).first.wait_for()
    page.get_by_text("| Idle", exact=False).wait_for()  # before its kernel is there a cell cannot be run
    cells = page.locator(".jp-NotebookPanel .jp-CodeCell")
    cells.first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cells.first.locator("canvas").first.wait_for()  # Bokeh is loaded, without Panel
    page.keyboard.press("Shift+Enter")
    page.locator("b", has_text="EmaCrossStrategy(fast=20, slow=60)").wait_for()
    cells.nth(1).locator("canvas").first.wait_for()
    slider = page.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.locator("b", has_text="EmaCrossStrategy(fast=21, slow=60)").wait_for()
    cells.nth(2).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-OutputArea-output", has_text="{'fast': 21, 'slow': 60}").wait_for()
    page.keyboard.press("Shift+Enter")
    cells.nth(3).locator("canvas").first.wait_for()
    metrics = ms.backtest(
        ms.load("sample:IBM", start="2005"), "EmaCrossStrategy", params={"fast": 21, "slow": 60}
    ).metrics
    shown = f"{100 * metrics['total_return']:.1f}".replace("-", "\N{MINUS SIGN}")
    assert shown in page.locator("table", has_text="Total return").first.inner_text()
    page.keyboard.press("Shift+Enter")
    cells.nth(4).locator("canvas").first.wait_for()
    cells.nth(4).get_by_role("button", name="Save the YAML").wait_for()  # its controls are drawn too
    page.keyboard.press("Control+s")
    page.locator(".jp-mod-dirty").wait_for(state="detached")
    page.reload()  # what is saved shows itself, without the kernel
    cells.nth(1).locator("canvas").first.wait_for()
    here = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    assert not [url for url in asked if not url.startswith(here)]
    page.context.close()


def test_the_launcher_has_a_tile_for_each_app(browser: Any, lab: str) -> None:
    page = browser.new_context(viewport={"width": 1500, "height": 1000}).new_page()
    page.set_default_timeout(GIVE_UP_MS)
    page.goto(f"{lab}?token=t&reset")
    for title in APPS.values():
        tile = page.locator(".jp-LauncherCard", has_text=f"Maestro {title}")
        tile.wait_for()
        assert tile.locator("img").evaluate("image => image.complete && image.naturalWidth > 0")
    page.context.close()
