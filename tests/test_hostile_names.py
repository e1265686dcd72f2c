"""No name, note or message becomes markup: every public object and page, with names that are HTML."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars
from maestro.bars.quality import assess
from maestro.reproduce.verify import Verification
from maestro.validation.statistics.bootstrap import bootstrap_metrics
from maestro.validation.verdict.notes import Caveat
from maestro.validation.verdict.result import Verdict
from maestro.validation.verdict.rule import Check
from tests.support.rules import Cross

MARKUP = "<img src=x onerror=\"alert('a name')\"></script><script>alert(1)</script>&lt;b&gt;"


class Parsed(HTMLParser):
    """Tags, attributes that run scripts, and text of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.running: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.running += [name for name, _ in attrs if name.startswith("on")]
        # A document inside an attribute is a document too.
        self.running += [found for name, value in attrs if name == "srcdoc" for found in Parsed(value or "").hostile]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script" and "alert(1)" in data and data.strip().startswith("alert"):
            self.running.append(data)
        self.text += data

    @property
    def hostile(self) -> list[str]:
        """What of the names became markup."""
        return [tag for tag in self.tags if tag == "img"] + self.running


def named(name: str) -> type[Cross]:
    return type(name, (Cross,), {"__doc__": name, "__module__": __name__})


@pytest.fixture(scope="module")
def bars() -> Bars:
    frame = ms.synthetic_bars(3_000, seed=4).to_frame()
    return Bars.from_frame(frame, provider=MARKUP, symbol=MARKUP, timeframe="1h")


@pytest.fixture(scope="module")
def wf(bars: Bars, tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    runs = tmp_path_factory.mktemp("runs")
    return ms.walk_forward(bars, named(MARKUP), splitter=ms.Rolling(n_splits=4), trials=6, runs_dir=runs)


@pytest.fixture(scope="module")
def objects(bars: Bars, wf: ms.WalkForward) -> dict[str, Any]:
    """One of each public class with an HTML form."""
    strategy = named(MARKUP)
    frame = bars.to_frame()
    gaps = Bars.from_frame(pl.concat([frame.head(100), frame.tail(100)]), symbol=MARKUP, timeframe="1h")
    check = Check("bars", MARKUP, "validity", "fail", 1.0, 2.0, True, MARKUP, MARKUP, MARKUP)
    returns = wf.equity["equity"].pct_change().drop_nulls().to_numpy()
    other = ms.walk_forward(bars, strategy, splitter=ms.Rolling(n_splits=4), trials=6, seed=1)
    universe = ms.universe({MARKUP: bars, "B": bars[:2_900]})
    many = ms.walk_forward_many(universe, strategy, splitter=ms.Rolling(n_splits=4), trials=3, workers=1)
    return {
        "Backtest": ms.backtest(bars, strategy()),
        "Bars": bars,
        "BoundaryAudit": ms.validation.boundary_audit(bars, strategy, splitter=ms.Rolling(n_splits=4), trials=3),
        "Comparison": ms.reports.compare_runs([wf, other]),
        "Concentration": ms.validation.concentration(wf),
        "Cpcv": ms.validation.cpcv(wf, bars, groups=4, strategy=strategy),
        "Html": ms.reports.fold_table(wf),
        "Intervals": bootstrap_metrics(returns, periods_per_year=8_760, reps=100),
        "Kelly": ms.validation.kelly(wf),
        "LookAhead": ms.validation.lookahead(bars, strategy),
        "MonteCarlo": ms.validation.monte_carlo(wf, paths=200),
        "Now": wf.now(),
        "Portfolio": many.portfolio(),
        "Quality": assess(gaps),
        "RandomEntries": ms.validation.random_entries(wf, bars, repetitions=99),
        "RegimeHistory": ms.regimes(bars, train="1mo", refit=None),
        "ParameterPermutation": ms.validation.parameter_permutation(wf),
        "Retiming": ms.validation.retiming(wf, repetitions=2, workers=1),
        "Significance": many.significance,
        "Sweep": ms.sweep(bars, strategy, n=5),
        "Universe": universe,
        "Verdict": Verdict(
            (check,), MARKUP, MARKUP, MARKUP, MARKUP, (Caveat(MARKUP, MARKUP),), (MARKUP,), (MARKUP,), {MARKUP: MARKUP}
        ),
        "Verification": Verification(MARKUP, 3, [1], [("file", MARKUP)], [MARKUP]),
        "WalkForward": wf,
        "WalkForwards": many,
    }


def classes_with_html() -> set[str]:
    found = set()
    for module in pkgutil.walk_packages(ms.__path__, "maestro."):
        if module.name.endswith("__main__"):
            continue
        members = vars(importlib.import_module(module.name)).values()
        found |= {c.__name__ for c in members if inspect.isclass(c) and "_repr_html_" in vars(c)
                  and c.__module__.startswith("maestro")}  # fmt: skip
    return found


def test_every_class_with_an_html_form_is_tried(objects: dict[str, Any]) -> None:
    assert classes_with_html() == set(objects)


def test_no_name_becomes_markup_in_a_notebook(objects: dict[str, Any]) -> None:
    shown = {name: Parsed(thing._repr_html_()) for name, thing in objects.items()}
    assert {name: parsed.hostile for name, parsed in shown.items() if parsed.hostile} == {}
    for name in ("Backtest", "Bars", "LookAhead", "Sweep", "Verdict", "Verification", "WalkForward"):
        assert "<img src=x" in shown[name].text, f"{name} does not show the name"


def tables_and_figures() -> list[str]:
    """Names of `maestro.reports` that take a walk-forward alone."""
    found = []
    for name in ms.reports.__all__:
        function = getattr(ms.reports, name)
        if inspect.isfunction(function):
            needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
            if [p.name for p in needed] == ["wf"]:
                found.append(name)
    return found


@pytest.mark.parametrize("name", tables_and_figures())
def test_no_name_becomes_markup_in_a_table_of_a_report(name: str, wf: ms.WalkForward) -> None:
    made = getattr(ms.reports, name)(wf)
    if isinstance(made, str):
        assert Parsed(made).hostile == []


WRITERS: dict[str, Callable[[ms.WalkForward, Path], Any]] = {
    "walk-forward": lambda wf, path: wf.report(path),
    "quality": lambda wf, path: ms.reports.write_quality(wf.bars, path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_no_name_becomes_markup_in_a_page(name: str, wf: ms.WalkForward, tmp_path: Path) -> None:
    WRITERS[name](wf, tmp_path / "page.html")
    page = Parsed((tmp_path / "page.html").read_text())
    assert page.hostile == []
    assert "<img src=x" in page.text


def test_the_name_is_kept_as_it_is(wf: ms.WalkForward) -> None:
    assert wf.folder is not None
    assert json.loads((wf.folder / "manifest.json").read_text())["spec"]["strategy"] == MARKUP
    assert ms.load_run(wf.folder).spec.strategy == MARKUP


def test_the_parser_sees_markup() -> None:
    assert Parsed(f"<p>{MARKUP}</p>").hostile == ["img", "onerror", "alert(1)"]
    assert Parsed('<iframe srcdoc="&lt;img src=x&gt;"></iframe>').hostile == ["img"]
