"""The app of many walk-forwards without a browser: results of a folder, filters, order, report, what is damaged."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from maestro.apps.many import App
from maestro.apps.many.session import ManySession, cell_of
from maestro.apps.runs.session import RunsSession
from maestro.apps.shared.access import restrict
from maestro.errors import RunError


@pytest.fixture
def app(folder: Path) -> App:
    return App(runs_dir=str(folder))


def test_the_newest_result_is_shown_with_its_sentence(app: App, folder: Path) -> None:
    [name] = app.session.results().values()
    many = ms.load_walk_forwards(name, folder)
    assert app.state.result == name == many.id
    assert many.significance.sentence in app.view.head.object
    assert len(app.view.list.value) == len(many.cells) == 6
    assert app.view.multiples.object.count("<figure") == 5
    assert "1 failed: why" in app.view.head.object
    assert app.view.save.callback().getvalue().startswith(b"<!")
    assert "ms.load_walk_forwards" in app.state.python()


def test_filters_and_order(app: App) -> None:
    app.state.text = "s1 ema"
    assert app.view.list.value["symbol"].tolist() == ["S1"]
    app.state.param.update(text="", only="failed")
    assert app.view.list.value["symbol"].tolist() == ["SHORT"]
    assert "No row has a curve" in app.view.multiples.object
    app.state.param.update(only="", order="sharpe_ratio", curves=2)
    shown = app.view.rows["sharpe_ratio"].drop_nulls().to_list()
    assert shown == sorted(shown, reverse=True)
    assert app.view.multiples.object.count("<figure") == 2
    assert "Curves of the first 2 of 6 rows." in app.view.multiples.object
    app.state.param.update(order="symbol", curves=48)
    assert "Curves of the first 6 of 6 rows; 1 of them has none." in app.view.multiples.object
    app.state.param.update(order="sharpe_ratio", curves=2)
    many = app.many
    assert many is not None
    for only, wanted in (("below", pl.col("p_value") < 0.05), ("remaining", pl.col("p_adjusted") <= 0.05)):
        assert len(ManySession.rows(many, only=only)) == len(many.table.filter(wanted))


def test_a_row_opens_its_report(app: App) -> None:
    assert app.view.report.disabled
    app.view.list.selection = [0]
    assert not app.view.report.disabled
    app._open_report()
    row = app.view.chosen()
    assert row is not None
    assert row["id"] in app.view.opened.text
    assert cell_of(row).symbol == app.view.list.value["symbol"][0]
    app.state.only = "failed"
    app.view.list.selection = [0]
    assert app.view.report.disabled


def test_a_link_opens_the_same_result_and_a_bad_link_is_reported(folder: Path, tmp_path: Path) -> None:
    [name] = ManySession(folder).results().values()
    again = App(runs_dir=str(folder), query={"result": name, "text": "S2", "order": "symbol"})
    assert again.view.list.value["symbol"].tolist() == ["S2"]
    for bad in ("../secret", "abc"):
        wrong = App(runs_dir=str(folder), query={"result": bad})
        assert "there is no result" in wrong.view.message.text
        assert not wrong.view.body.visible
    empty = App(runs_dir=str(tmp_path))
    assert "maestro walk-forward-many" in empty.view.message.text
    assert empty.view.message.text.endswith(f" --runs-dir {tmp_path}"), "it is not the configured one"


@pytest.mark.parametrize("name", ["full", "empty"])
def test_what_a_link_has_wrong_stays_beside_what_is_shown(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_RUNS_DIR", str(folder if name == "full" else tmp_path))
    restrict()
    app = App(query={"runs_dir": "/etc", "foo": "1"})
    app.refresh()
    assert "the runs in '/etc' are not opened" in app.view.link_problem.text
    assert "the link has 'foo', which is not a setting here" in app.view.link_problem.text
    assert app.view.body.visible == (name == "full")


def test_a_result_with_missing_runs_is_reported(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "universes"
    place.mkdir()
    for path in (folder / "universes").iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    (place / "broken.json").write_text("{")
    session = ManySession(tmp_path)
    [name] = session.results().values()
    with pytest.raises(RunError):
        session.load(name)
    assert App(runs_dir=str(tmp_path)).view.message.text
    assert ManySession("a" * 5_000).results() == {}


def test_the_frozen_screen_is_what_the_notebook_takes(app: App) -> None:
    from maestro.reports.notebooks.running import find_notebook, notebook_parameters

    found = find_notebook(app.state.notebook)
    assert found is not None
    assert app.state.frozen().keys() <= notebook_parameters(found).keys()


def test_the_folder_of_results_is_no_run_in_the_list_of_runs(folder: Path) -> None:
    assert RunsSession(folder).listing()["status"].unique().to_list() == ["done"]
