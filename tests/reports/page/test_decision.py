"""The page from verdict to decision: every part has its section, its figures and numbers, or its reason."""

from __future__ import annotations

import pytest

import maestro as ms
from maestro.decision import Decision, measure
from maestro.reports.page.walk_forward import render
from tests.reports.pages import Page
from tests.reports.standin import stand_in

MEASURED = {"now", "concentration", "luck", "kelly", "entries", "regimes", "sets", "paths"}


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    return ms.walk_forward(
        ms.load_sample("AAPL"), "EmaCrossStrategy", trials=12, workers=1, runs_dir=tmp_path_factory.mktemp("runs")
    )


@pytest.fixture(scope="module")
def decision(wf: ms.WalkForward) -> Decision:
    return measure(wf)


def test_every_part_has_a_section_with_its_numbers(wf: ms.WalkForward, decision: Decision) -> None:
    page = Page(render(wf, decision=decision))
    assert set(page.ids) >= MEASURED
    figures = {i for i in page.ids if i.startswith("fig-")}
    places = ("entries-random-entries", "regimes-regimes", "sets-parameter-permutation", "paths-cpcv",
              "luck-monte-carlo", "concentration-concentration")  # fmt: skip
    assert {f"fig-{name}-0" for name in places} <= figures
    assert {f"fig-front-{fold}" for fold in wf.folds["fold"]} <= figures
    for name, value in decision.found["now"].params.items():
        assert name in page.text
        assert str(value) in page.text
    assert f"p = {decision.found['random_entries'].pvalue:.3g}" in page.text
    assert "fitted on 1y of bars before them" in page.text
    assert "--decision" not in page.text
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_cheap_parts_are_there_without_a_measurement(wf: ms.WalkForward) -> None:
    page = Page(render(wf))
    assert {"concentration", "luck"} <= set(page.ids)
    assert not {"now", "entries", "regimes"} & set(page.ids)
    assert f"maestro report {wf.id} --decision" in page.text


def test_a_part_without_a_result_has_a_reason(wf: ms.WalkForward, decision: Decision) -> None:
    found = {k: v for k, v in decision.found.items() if k not in ("regimes", "random_entries")}
    problems = {"regimes": "the bars are too few", "random_entries": "nothing <was> traded"}
    page = Page(render(wf, decision=Decision(found, problems, "1y")))
    assert "Regimes: the bars are too few" in page.text
    assert "nothing <was> traded" in page.text
    assert "fig-entries-random-entries-0" not in page.ids


def test_a_run_without_trades_has_sections_with_reasons() -> None:
    wf = stand_in()
    page = Page(render(wf.but(trades=wf.trades.clear())))
    assert "no trade was closed" in page.text
    assert "nan" not in page.text.split()


def test_a_triggered_run_is_shown_beside_its_placebo() -> None:
    bars = ms.load_sample("AAPL")
    wf = ms.walk_forward(bars, "EmaCrossStrategy", trials=4, workers=1, splitter="on-regime:2y,0.9,3,6mo,1y")
    found = measure(wf, parts=("retiming",))
    page = Page(render(wf, decision=found))
    assert "fig-retiming-retiming-0" in page.ids
    assert "On the calendar" in page.text
    assert f"p = {found.found['retiming'].pvalue:.3g}" in page.text
