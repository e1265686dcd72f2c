"""The figures and the page of robustness: drawn in the theme's colours, self-contained, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bokeh.model import Model
from bokeh.models.sources import ColumnDataSource

import maestro as ms
from maestro.errors import SettingsError
from maestro.reports.figures import robustness as drawn
from maestro.reports.figures.theme import LIGHT
from maestro.reports.page import robustness as page
from maestro.validation.robustness import CostMap
from tests.reports.pages import Page

FEW: dict[str, Any] = {"splitter": "rolling:5,2,1", "trials": 8, "workers": 1}


@pytest.fixture(scope="module")
def wf(tmp_path_factory: pytest.TempPathFactory) -> ms.WalkForward:
    bars = ms.synthetic_bars(720, seed=4)
    return ms.walk_forward(bars, "EmaCrossStrategy", runs_dir=tmp_path_factory.mktemp("runs"), **FEW)


@pytest.fixture(scope="module")
def found(wf: ms.WalkForward) -> dict[str, Any]:
    return {
        "neighbourhood": ms.validation.neighbourhood(wf),
        "geometry": ms.validation.geometry_map(wf, trials=4, workers=1),
        "costs": ms.validation.cost_map(wf),
        "perturbations": ms.validation.perturbations(wf, repetitions=4),
    }


def colours(model: Model) -> set[str]:
    """Every colour that a figure draws with."""
    seen: set[str] = set()
    for one in model.references():
        if type(one).__name__ in ("Title", "Legend", "BoxAnnotation") and not getattr(one, "text", ""):
            continue  # shows nothing of its own
        for name, value in one.properties_with_values().items():
            shown = name.endswith(("line_color", "fill_color", "text_color")) and not name.startswith(
                ("inactive", "item")
            )
            if shown and isinstance(value, str) and value.startswith("#"):
                seen.add(value)
        if isinstance(one, ColumnDataSource) and "color" in one.data:
            seen |= set(one.data["color"])
    return seen


@pytest.mark.parametrize(
    ("part", "draw"),
    [
        ("neighbourhood", ms.reports.neighbourhood_figure), ("geometry", ms.reports.geometry_figure),
        ("costs", ms.reports.cost_figure), ("perturbations", ms.reports.perturbation_figure),
    ],
)  # fmt: skip
def test_every_colour_of_a_figure_is_the_themes(found: dict[str, Any], part: str, draw: Any) -> None:
    used = colours(draw(found[part]))
    assert used
    assert used <= set(LIGHT.values())


def test_a_map_has_each_value_in_its_cell(found: dict[str, Any]) -> None:
    costs = found["costs"]
    figure = drawn.cost_parts(costs)[0]
    [cells] = [r for r in figure.renderers if hasattr(r.glyph, "fill_alpha") and "text" in r.data_source.data]
    data = cells.data_source.data
    fees, slippages = sorted(costs.table["fee"].unique()), sorted(costs.table["slippage"].unique())
    for row in costs.table.to_dicts():
        at = [
            k for k in range(len(data["x"]))
            if (data["x"][k], data["y"][k]) == (fees.index(row["fee"]), slippages.index(row["slippage"]))
        ]  # fmt: skip
        assert [data["text"][k] for k in at] == [drawn._short(row["total_return"])]
        assert data["color"][at[0]] == LIGHT["gain" if row["total_return"] > 0 else "loss"]


def test_one_parameter_has_a_line_and_no_map(wf: ms.WalkForward) -> None:
    assert wf.bars is not None
    run = ms.walk_forward(wf.bars, "RSIStrategy", params={"oversold": 30, "overbought": 70}, **FEW)
    near = ms.validation.neighbourhood(run)
    assert near.names == ("period",)
    assert len(drawn.neighbourhood_parts(near)) == 1


def test_the_page_is_self_contained_and_explains_what_it_shows(
    wf: ms.WalkForward, found: dict[str, Any], tmp_path: Path
) -> None:
    path = ms.reports.write_robustness(wf, tmp_path / "deep" / "robust.html", found)
    text = path.read_text()
    seen = Page(text)
    assert not seen.remote()
    assert {"neighbourhood", "geometry", "costs", "perturbations", "fig-costs-1", "fig-geometry-0"} <= set(seen.ids)
    for words in ("The choices stand on a", "geometries earned", "Undisturbed the Sharpe ratio is", "Late by 2 bars"):
        assert words in seen.text
    assert wf.id in seen.text
    assert ms.reports.write_robustness(wf, tmp_path / "again.html", found).read_text() == text
    one = page.render(wf, {"costs": found["costs"]})
    assert "fig-geometry-0" not in one
    assert page.document(found["neighbourhood"])["shape"] == found["neighbourhood"].shape


@pytest.mark.parametrize(
    ("fee", "words"),
    [
        (float("nan"), "no profit at the run's slippage even without fees"), (float("inf"), "fees above 5 %"),
        (0.002, "fee of 0.200"),
    ],
)  # fmt: skip
def test_the_words_for_costs(found: dict[str, Any], fee: float, words: str) -> None:
    real = found["costs"]
    made = CostMap(real.table, pl.DataFrame(), 0.001, 0.0, fee, fee, fee)
    assert words in page.sections({"costs": made})[0].words
    assert len(drawn.cost_parts(CostMap(real.table, pl.DataFrame(), real.fee, real.slippage, fee, fee, fee))) == 1
    assert str(drawn.break_even_table(made)).count("<tr>") == 4


def test_an_unknown_part_is_refused(wf: ms.WalkForward) -> None:
    with pytest.raises(SettingsError, match="weather: the parts are neighbourhood, geometry, costs, perturbations"):
        page.measure(wf, parts=("weather",))
