"""The Runs app without a browser: tags, notes and pins, sorting, efficiency and equity in its list."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import maestro as ms
from maestro.apps.runs import App
from maestro.apps.runs.session import RunsSession

# Inside the libraries: Bokeh's data source calls pandas, and Material UI's download button Panel, in ways called old.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame", "ignore:Both 'variant' and 'button")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for rule in ("EmaCrossStrategy", "RSIStrategy", "MACDStrategy"):
        settings = {"trials": 3, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": folder}
        ms.walk_forward(ms.load_sample("AAPL"), rule, **settings)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


@pytest.fixture
def app(folder: Path) -> App:
    return App(runs_dir=str(folder))


def ids(folder: Path) -> list[str]:
    return [str(run) for run in RunsSession(folder).listing()["id"]]


def test_tags_notes_and_pins_are_written_from_the_page(app: App, folder: Path) -> None:
    first, other = ids(folder)[-1], ids(folder)[0]
    assert not app.view.about.visible
    app.state.runs = [first]
    assert app.view.about.visible
    app.view.tags.value = "to check, <b>bold</b>"
    app.view.note.value = "=HYPERLINK(1)"
    app.view.pin.clicks += 1
    assert ms.runs.annotations_of(first, folder) == ms.runs.Annotations(
        ("<b>bold</b>", "to check"), "=HYPERLINK(1)", True
    )
    shown = app.view.list.value.iloc[0]
    assert (shown["id"], shown["pin"], shown["note"]) == (first, "\N{BLACK STAR}", "=HYPERLINK(1)")
    assert app.view.list.formatters["tags"] == {"type": "plaintext"}
    assert app.view.pin.label == "Unpin"
    app.state.runs = [other]
    assert (app.view.tags.value, app.view.note.value, app.view.pin.label) == ("", "", "Pin")
    assert ms.runs.annotations_of(first, folder).pinned  # showing another run writes nothing
    app.state.runs = [first, other]
    assert not app.view.about.visible
    app.state.text = "hyperlink"
    assert app.view.list.value["id"].to_list() == [first]
    app.view.tags.value = "x" * 50
    assert "is not a tag" in app.view.message.text
    app.state.text = ""
    app.state.runs = [first]
    app.view.tags.value = ""
    assert ms.runs.annotations_of(first, folder).tags == ()
    (folder / other / "annotations.json").write_text("{")
    app.refresh()
    row = app.view.list.value.set_index("id").loc[other]
    assert (row["status"], "is damaged" in row["note"]) == ("done", True)


def test_a_click_on_a_heading_sorts_numbers_as_numbers(app: App, folder: Path) -> None:
    app.view.list.sorters = [{"field": "sharpe_ratio", "dir": "asc"}]
    shown = app.view.list.current_view
    numbers = shown["sharpe_ratio"].dropna()
    assert len(numbers) >= 2
    assert numbers.is_monotonic_increasing
    assert sorted(shown["id"]) == sorted(ids(folder))


def test_efficiency_and_equity_are_in_the_list(app: App, folder: Path) -> None:
    for row in app.view.list.value.to_dict("records"):
        wf = ms.load_run(row["id"], folder)
        assert row["efficiency"] == pytest.approx(wf.efficiency, nan_ok=True)
        assert row["curve"].startswith("<svg") == (len(wf.equity) > 1)  # no fold of one run has a result


def test_a_strategy_without_runs_is_said_with_those_that_have_some(folder: Path) -> None:
    text = App(runs_dir=str(folder), query={"strategy": "FooStrategy"}).view.message.text
    assert "no run of 'FooStrategy'; there are runs of: EmaCrossStrategy, MACDStrategy, RSIStrategy" in text
    assert not App(runs_dir=str(folder), query={"strategy": "MACDStrategy"}).view.message.text
