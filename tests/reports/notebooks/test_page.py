"""A notebook as a page: figures, tables and controls, no network, nothing in the console, light and dark."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro.reports.notebooks.page import headline_of_notebook, notebook_page
from maestro.reports.notebooks.running import Execution, built_in, notebook_parameters, read_notebook, run_notebook
from maestro.reports.notebooks.widgets import WIDGET, static_outputs
from tests.reports.notebooks.small import PARAMETERS, small_notebook
from tests.support.patience import GIVE_UP_MS

CELLS = """\
import maestro as ms
from maestro.reports import backtest_figure, explore, frame_table, headline, plot, show
from tqdm.auto import tqdm
bars = ms.load("sample:AAPL", end="2002")
for _ in tqdm(range(3), desc="<b>bar</b>"):
    pass
bt = ms.backtest(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 20})
headline(bt, word=word)
show(backtest_figure(bt))
show(plot(bt.equity).line(x="timestamp", y="equity"))
frame_table(bt.trades.head(3))"""
WIDGETS = """\
explore(bars, "EmaCrossStrategy", params={"fast": 5, "slow": 20})
from ipywidgets import interact
interact(lambda n: show(backtest_figure(bt)), n=(1, 9));"""


@pytest.fixture(scope="module")
def execution(tmp_path_factory: pytest.TempPathFactory) -> Execution:
    path = small_notebook(tmp_path_factory.mktemp("page") / "page.ipynb", CELLS, WIDGETS, "print('<i>plain</i>')")
    return run_notebook(path, {"word": "<img src=x onerror=alert(1)>"})


@pytest.fixture(scope="module")
def page(execution: Execution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("html")
    declared = notebook_parameters(small_notebook(folder / "p.ipynb", parameters=PARAMETERS))
    path = folder / "page.html"
    path.write_text(notebook_page(execution, declared, name="page.ipynb"), "utf-8")
    return path


def test_it_ran_and_hands_its_key_figures_over(execution: Execution) -> None:
    assert execution.error is None
    found = headline_of_notebook(execution.notebook)
    assert list(found) == [
        "total_return", "annual_return", "sharpe_ratio", "vwr", "max_drawdown", "num_trades", "exposure", "word",
    ]  # fmt: skip
    import maestro as ms

    bt = ms.backtest(ms.load("sample:AAPL", end="2002"), "EmaCrossStrategy", params={"fast": 5, "slow": 20})
    assert found["sharpe_ratio"] == bt.metrics["sharpe_ratio"]


def test_every_figure_is_lifted_into_the_page_and_the_library_once(page: Path) -> None:
    text = page.read_text("utf-8")
    items = json.loads(re.findall(r'id="items">(.*?)</script>', text)[0])
    assert len(items) == 4  # chart, hvPlot, explore, interact
    assert all(f'<div class="figure" id="{item["docid"]}">' in text for item in items)
    assert text.count("/* END bokeh.min.js */") == 1
    assert len(text) < 6e6


def test_controls_are_what_they_were(page: Path) -> None:
    text = page.read_text("utf-8")
    for words in ("<span>fast: 5</span>", "<span>slow: 20</span>", "<span>n: 5</span>", "3/3"):
        assert words in text
    assert WIDGET not in text


def test_text_is_text(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "&lt;i&gt;plain&lt;/i&gt;" in text


def test_code_can_be_left_out(execution: Execution) -> None:
    assert "ms.backtest" in re.sub("<[^>]*>", "", notebook_page(execution, {}))
    assert "ms.backtest" not in re.sub("<[^>]*>", "", notebook_page(execution, {}, code=False))


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_drawn_without_a_network(browser: Any, page: Path, scheme: Any) -> None:
    shown = browser.new_page(color_scheme=scheme)
    problems: list[str] = []
    shown.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    shown.on("pageerror", lambda error: problems.append(str(error)))
    shown.on("dialog", lambda dialog: (problems.append("a dialog"), dialog.dismiss()))

    def only_here(route: Any) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            problems.append(f"asked for {route.request.url}")
            route.abort()

    shown.route("**/*", only_here)
    shown.goto(page.as_uri())
    shown.wait_for_selector("html[data-figures=drawn]", timeout=GIVE_UP_MS)
    heights = shown.evaluate("[...document.querySelectorAll('.figure')].map(f => f.getBoundingClientRect().height)")
    assert len(heights) == 4
    assert all(height > 150 for height in heights)
    assert shown.locator(".input").first.is_hidden()
    shown.click(".code-button")
    assert shown.locator(".input").first.is_visible()
    ground = shown.evaluate("getComputedStyle(document.querySelector('article')).backgroundColor")
    assert ground == ("rgb(254, 254, 254)" if scheme == "light" else "rgb(23, 26, 32)")
    assert not problems
    shown.close()


def test_the_shell_runs_a_notebook(tmp_path: Path) -> None:
    small_notebook(tmp_path / "small.ipynb")
    (tmp_path / "beside.py").write_text("value = 1\n")
    small_notebook(tmp_path / "with.ipynb", "import beside\nassert beside.value == x")
    away = tmp_path / "away"
    away.mkdir()

    def report(*words: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "maestro", "report", *words], capture_output=True, text=True, cwd=away
        )

    done = report("../with.ipynb", "-p", "x=1", "--executed", "ran.ipynb", "--json", "--no-progress")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["parameters"] == {"x": 1}
    assert (away / "with.html").is_file()
    assert read_notebook(away / "ran.ipynb").cells[2].metadata["tags"] == ["injected-parameters"]
    failed = report("../small.ipynb", "-p", "x=-1", "--out", "bad.html")
    assert failed.returncode == 1
    assert "AssertionError: x is -1, below zero" in failed.stderr
    assert "did not run to its end" in (away / "bad.html").read_text("utf-8")
    for words, message in (
        (["../small.ipynb", "-p", "y=1"], "no parameter 'y'"),
        (["../small.ipynb", "--out", "../small.ipynb"], "is the notebook itself"),
        (["../small.ipynb", "--tearsheet"], "--tearsheet is only for a run, and small.ipynb is a notebook"),
        (["1c9a", "-p", "x=1"], "-p is only for a notebook, and 1c9a is not one"),
    ):
        refused = report(*words)
        assert refused.returncode == 2, refused.stderr
        assert message in " ".join(refused.stderr.split())


def test_a_walk_forward_gives_the_numbers_of_the_library(tmp_path: Path) -> None:
    import maestro as ms

    given = {
        "trials": 5,
        "seed": 3,
        "strategy": "RSIStrategy",
        "start": "2005",
        "workers": 1,
        "runs_dir": str(tmp_path),
    }
    done = run_notebook(built_in()["walk_forward_report"], given)
    assert done.error is None
    wf = ms.walk_forward(ms.load("sample:AAPL", start="2005"), "RSIStrategy", trials=5, seed=3, workers=1)
    found = headline_of_notebook(done.notebook)
    assert {name: found[name] for name in ("total_return", "sharpe_ratio")} == {
        name: wf.metrics[name] for name in ("total_return", "sharpe_ratio")
    }


def test_a_walk_forward_in_which_every_fold_fails_is_a_failure(tmp_path: Path) -> None:
    given = {"trials": 1, "strategy": "FundingRateArbitrage", "workers": 1, "runs_dir": str(tmp_path)}
    done = run_notebook(built_in()["walk_forward_report"], given)
    assert str(done.error).startswith("RuntimeError: every fold failed; the first:")
    assert "funding_rate" in str(done.error)
