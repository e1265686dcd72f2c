"""The Runs app without a page: the list, broken runs, comparison, deletion, settings; hostile names stay text."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
import pytest

import maestro as ms
from maestro._core import formatting as formats
from maestro.apps.runs import App
from maestro.apps.runs.session import RunsSession
from maestro.apps.runs.state import RunsState
from maestro.apps.shared import access
from maestro.errors import RunError, SettingsError
from maestro.reports.figures.compare import comparison_figure
from maestro.reports.tables.compare import compare_runs

# Inside the libraries: Bokeh's data source calls pandas, and Material UI's download button Panel, in ways called old.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame", "ignore:Both 'variant' and 'button")
_MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "</iframe><b>x</b>",
    "<iframe src=javascript:alert(1)>", "<a href=javascript:alert(1)>x</a>", "<body onload=alert(1)>", "<b>x</b>",
    "<style>*{display:none}</style>", "<math><mtext></mtext></math>", "<!--", "<![CDATA[<b>]]>",
)  # fmt: skip
HOSTILE = (
    *_MARKUP,
    *(f"\"'>{text}" for text in _MARKUP),
    *(f"'\"--></td></table>{text}" for text in _MARKUP),
    "&lt;b&gt;", "&#60;b&#62;", "javascript:alert(1)", "{{7*7}}", "${7*7}", "#{7*7}", "%3Cscript%3E", "\u202egnp.exe",
    "a" * 300, "$$x$$", "\\(x\\)", "@{name}", "]]>", "\\u003cscript\\u003e", "=HYPERLINK(1)",
)  # fmt: skip
"""51 texts from outside that must stay text."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs of two rules and two series, made once and copied by who changes them."""
    folder = tmp_path_factory.mktemp("runs")
    settings: dict[str, Any] = {"trials": 8, "splitter": "rolling:4,2,1", "workers": 1, "runs_dir": folder}
    for symbol in ("AAPL", "IBM"):
        for rule in ("EmaCrossStrategy", "RSIStrategy"):
            ms.walk_forward(ms.load_sample(symbol), rule, **settings)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs"))


def ids(folder: Path, **wanted: str) -> list[str]:
    table = RunsSession(folder).listing()
    for name, value in wanted.items():
        table = table.filter(pl.col(name) == value)
    return table["id"].to_list()


def rewrite(path: Path, **changes: Any) -> None:
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, **changes}))


def test_runs_are_listed_with_what_they_found(folder: Path) -> None:
    table = RunsSession(folder).listing()
    assert table["status"].to_list() == ["done"] * 4
    assert table["started"].is_sorted(descending=True)
    wf = ms.load_run(table["id"][0], folder)
    assert table["sharpe_ratio"][0] == pytest.approx(wf.metrics["sharpe_ratio"])
    assert (table["trials"][0], table["folds"][0]) == (8, len(wf.folds))


def test_the_verdict_of_a_run_is_listed(folder: Path) -> None:
    session = RunsSession(folder)
    assert session.listing()["verdict"].null_count() == 4
    run = ids(folder)[0]
    made = ms.load_run(run, folder).verdict
    (folder / run / "verdict.json").write_bytes(made.to_json())
    assert session.listing().filter(pl.col("id") == run)["verdict"][0] == made.name
    (folder / run / "verdict.json").write_bytes(made.to_json()[:-20])
    assert session.listing().filter(pl.col("id") == run)["verdict"][0] == "damaged"


def test_a_missing_folder_is_an_empty_list(tmp_path: Path) -> None:
    assert RunsSession(tmp_path / "none").listing().is_empty()


def test_filters_take_words_rule_and_status(folder: Path) -> None:
    session = RunsSession(folder)
    assert len(session.filtered("aapl")) == len(session.filtered(strategy="RSIStrategy")) == 2
    assert len(session.filtered("IBM ema")) == 1
    assert session.filtered(status="broken").is_empty()
    assert session.filtered("(.*").is_empty()  # text, not a pattern


def test_broken_runs_are_listed_with_their_error(folder: Path) -> None:
    first, second, third, fourth = ids(folder)
    (folder / first / "manifest.json").write_text("{broken")
    (folder / second / "trades.parquet").unlink()
    manifest = folder / third / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"done"', b'"gone"'))
    (folder / "notes").mkdir()
    (folder / "file.txt").write_text("no folder, no run")
    session = RunsSession(folder)
    found = {row["id"]: row for row in session.listing().iter_rows(named=True)}
    assert set(found) == {first, second, third, fourth, "notes"}
    assert [found[run]["status"] for run in (first, second, third, "notes", fourth)] == ["broken"] * 4 + ["done"]
    assert "is damaged" in found[first]["error"]
    assert found[second]["error"] == "trades.parquet is missing."
    assert "is damaged" in found[third]["error"]
    assert "there is no manifest.json" in found["notes"]["error"]
    for run in (first, second, third, "notes"):
        with pytest.raises(RunError):
            session.load(run)
    assert session.load(fourth).id == fourth


def test_an_unfinished_run_shows_its_progress(folder: Path) -> None:
    run = ids(folder)[0]
    other = ms.runs.RunStore(folder / run)
    manifest = other.manifest()
    other.begin({key: value for key, value in manifest.items() if key not in ("sha256", "status")}, afresh=True)
    row = RunsSession(folder).listing().filter(pl.col("id") == run).row(0, named=True)
    assert row["status"] == "interrupted"
    output = f"0 of {manifest['n_folds']} folds are finished"
    assert row["error"] == f"{output}; the same walk-forward continues it."
    with other.locked():  # as a process does that computes it
        row = RunsSession(folder).listing().filter(pl.col("id") == run).row(0, named=True)
    assert (row["status"], row["error"]) == ("running", f"{output}.")


def test_a_changed_run_is_read_again(folder: Path) -> None:
    session = RunsSession(folder)
    run = session.listing()["id"][0]
    session.load(run)
    (folder / run / "manifest.json").write_text("{")
    assert session.listing().filter(pl.col("id") == run)["status"][0] == "broken"
    with pytest.raises(RunError, match="is damaged"):
        session.load(run)


def test_runs_are_compared_and_differing_settings_marked(folder: Path) -> None:
    session = RunsSession(folder)
    runs = ids(folder, bars="SAMPLE:AAPL:1d")
    found = session.compare(runs)
    assert len(found.names) == len(set(found.names)) == 2
    differing = found.settings.filter(pl.col("differs"))["setting"].to_list()
    assert "strategy" in differing
    assert not {"bars.fingerprint", "costs.fee", "seed"} & set(differing)
    assert found.settings["differs"].is_sorted(descending=True)
    assert not [note for note in found.notes if "differen" in note]
    wf = session.load(runs[0])
    curve = found.curves[0]
    assert curve.growth[-1] == pytest.approx(wf.equity["equity"][-1] / wf.spec.cash)
    assert curve.drawdown.min() == pytest.approx(wf.equity["drawdown"].min())
    assert len(curve.time) <= 1_500
    total = found.metrics.filter(pl.col("metric") == "Total return")[found.names[0]][0]
    assert total == formats.metric("total_return", wf.metrics["total_return"])
    assert "EmaCrossStrategy" in found._repr_html_()


def test_an_unfair_comparison_is_noted(folder: Path) -> None:
    session = RunsSession(folder)
    both = session.compare([ids(folder, bars=name)[0] for name in ("SAMPLE:AAPL:1d", "SAMPLE:IBM:1d")])
    assert "The runs are on different bars" in both.notes[0]
    one = session.load(ids(folder)[0])
    late = ms.WalkForward(one.manifest, {
        "folds": one.folds, "trials": one.trials, "trades": one.trades,
        "equity": one.equity.with_columns(pl.col("timestamp").dt.offset_by("30y")),
    })  # fmt: skip
    late.id = "later" + one.id
    assert "do not overlap" in " ".join(compare_runs([one, late]).notes)
    with pytest.raises(SettingsError, match="no stretch in common"):
        compare_runs([one, late], common=True)
    with pytest.raises(SettingsError, match="given twice"):
        compare_runs([one, one])
    with pytest.raises(SettingsError, match="no run was given"):
        compare_runs([])


def test_curves_over_the_common_stretch_begin_at_one(folder: Path) -> None:
    session = RunsSession(folder)
    one = session.load(ids(folder)[0])
    short = ms.WalkForward(one.manifest, {
        "folds": one.folds, "trials": one.trials, "trades": one.trades, "equity": one.equity[200:],
    })  # fmt: skip
    short.id = "short" + one.id
    found = compare_runs([one, short], common=True)
    assert found.curves[0].growth[0] == found.curves[1].growth[0] == 1.0
    assert found.curves[0].time[0] == found.curves[1].time[0]
    assert "Curves show the stretch that all runs tested" in found.notes[-1]


def test_the_figure_has_a_line_and_a_drawdown_a_run(folder: Path) -> None:
    found = RunsSession(folder).compare(ids(folder))
    upper, lower = comparison_figure(found.curves, log=True).children
    assert len(upper.renderers) == len(lower.renderers) == 4
    assert len({line.glyph.line_color for line in upper.renderers}) == 4
    assert upper.x_range is lower.x_range
    assert type(upper.y_scale).__name__ == "LogScale"


def test_the_report_and_the_workbook_are_those_of_the_run(folder: Path) -> None:
    session = RunsSession(folder)
    run = ids(folder)[0]
    text = session.report(run)
    assert (folder / run / "report.html").read_text() == text
    assert run in text
    with zipfile.ZipFile(io.BytesIO(session.workbook(run))) as book:
        assert "xl/workbook.xml" in book.namelist()


def test_only_runs_are_removed_and_only_those_of_this_folder(folder: Path) -> None:
    session = RunsSession(folder)
    run, other = ids(folder)[:2]
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    (folder / other / "manifest.json").write_text("{broken")
    outside = folder.parent / "outside"
    shutil.copytree(folder / ids(folder)[2], outside)
    refused = session.remove([run, other, "notes", "../outside", "", ".", "gone"])
    assert set(refused) == {"notes", "../outside", "", ".", "gone"}
    assert "remove it by hand" in refused["notes"]
    assert not (folder / run).exists()
    assert not (folder / other).exists()  # a damaged run can be got rid of
    assert (folder / "notes" / "mine.txt").exists()
    assert (outside / "manifest.json").exists()


# -- the app, its state and its page ---------------------------------------------------------------


@pytest.fixture
def app(folder: Path) -> App:
    return App(runs_dir=str(folder))


def test_ticked_runs_are_compared_and_settings_follow(app: App, folder: Path) -> None:
    assert not app.view.compared.visible
    app.view.list.selection = [0, 2]
    chosen = app.view.list.value["id"].iloc[[0, 2]].tolist()
    assert app.settings()["runs"] == app.state.runs == chosen
    assert app.view.compared.visible
    assert len(app.view.chart.object.children[0].renderers) == 2
    assert app.view.metrics.object.count("<tr>") == 20
    assert "class='differs'" in app.view.settings.object
    app.view.list.selection = []
    assert not app.view.compared.visible


def test_runs_that_a_filter_hides_stay_chosen(app: App) -> None:
    app.view.list.selection = [0, 1, 2, 3]
    everything = list(app.state.runs)
    app.state.text = "IBM"
    assert len(app.view.list.value) == 2
    assert app.state.runs == everything
    assert len(app.view.list.selection) == 2
    app.view.list.selection = [0]
    assert len(app.state.runs) == 3
    app.state.text = ""
    assert len(app.view.list.selection) == 3
    assert app.view.count.object == "4 runs"


def test_what_can_be_done_hangs_on_what_is_ticked(app: App, folder: Path) -> None:
    view = app.view
    assert view.report.disabled
    assert view.excel.disabled
    assert view.remove.disabled
    view.list.selection = [0]
    assert not view.report.disabled
    assert view.excel.filename == f"maestro-{app.state.runs[0]}.xlsx"
    view.list.selection = [0, 1]
    assert view.report.disabled
    assert view.excel.filename == "maestro-runs.zip"
    with zipfile.ZipFile(view.excel.callback()) as both:
        assert len(both.namelist()) == 2
    (folder / app.state.runs[0] / "manifest.json").write_text("{")
    app.refresh()
    view.list.selection = [app.view.list.value["id"].tolist().index(app.state.runs[0])]
    assert view.report.disabled
    assert view.excel.disabled
    assert not view.remove.disabled
    assert "is damaged" in view.message.text
    assert "1 run that cannot be opened" in view.broken.object


def test_deleting_asks_first(app: App, folder: Path) -> None:
    app.view.list.selection = [1]
    (run,) = app.state.runs
    app.view.remove.clicks += 1
    assert app.view.dialog.open
    assert run in app.view.doomed.object
    app.view.keep.clicks += 1
    assert not app.view.dialog.open
    assert (folder / run).exists()
    app.view.remove.clicks += 1
    app.view.sure.clicks += 1
    assert not (folder / run).exists()
    assert app.state.runs == []
    assert len(app.view.list.value) == 3
    assert app.view.message.text == ""


def test_runs_that_a_filter_hides_are_not_deleted(app: App, folder: Path) -> None:
    app.view.list.selection = [0, 1, 2, 3]
    app.state.text = "IBM"
    hidden = [run for run in app.state.runs if run not in set(app.view.list.value["id"])]
    assert app.view.remove.label == "Delete 2"
    app.view.remove.clicks += 1
    assert "2 chosen runs that the filters hide stay." in app.view.doomed.object
    assert not any(run in app.view.doomed.object for run in hidden)
    app.view.sure.clicks += 1
    assert app.state.runs == hidden
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == sorted(hidden)


def test_runs_are_ordered_by_the_second(folder: Path) -> None:
    started = RunsSession(folder).listing()["started"]
    assert started.str.len_chars().unique().to_list() == [len("2026-11-27 20:46:27")]
    assert started.is_sorted(descending=True)


def test_an_open_report_follows_the_theme_of_the_page(app: App) -> None:
    app.view.list.selection = [0]
    app.view.report.clicks += 1
    assert "data-theme=&quot;light&quot;" in app.view.opened.frame.object
    app.view.theme(True)
    assert "data-theme=&quot;dark&quot;" in app.view.opened.frame.object
    assert b"data-theme=" not in app.view.opened.save.callback().read().partition(b"<head>")[0]


def test_back_ticks_the_runs_that_were_chosen_before(app: App) -> None:
    app.view.list.selection = [0, 1]
    before = app.state.link()
    app.view.list.selection = [2]
    app.state.restore(dict(parse_qsl(before[1:])))
    assert sorted(app.view.list.selection) == [0, 1]


def test_a_report_opens_in_a_frame_of_its_own(app: App) -> None:
    app.view.list.selection = [0]
    app.view.report.clicks += 1
    shown = app.view.opened.frame.object
    assert shown.startswith('<iframe title="Report" sandbox="allow-scripts" ')
    assert "<script" not in shown  # all of it is escaped
    assert app.view.opened.card.visible
    assert app.view.opened.save.callback().read().startswith(b"<!DOCTYPE html>")
    app.view.opened.close.clicks += 1
    assert not app.view.opened.card.visible


def test_a_link_gives_the_same_screen(app: App, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    app.state.param.update(runs=ids(folder)[:2], common_stretch=True, text="AAPL", log_scale=True)
    query = dict(parse_qsl(app.state.link().removeprefix("?")))
    again = App(None, query=query)
    assert again.settings() == app.settings()
    assert again.view.message.text == ""


def test_a_link_cannot_open_other_folders_or_hold_nonsense(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    access.restrict()
    state = RunsState()
    for place in ("/etc", "..", "runs/../..", "\0"):
        assert "neither in the folder that this server was started in" in state.read({"runs_dir": place})[0]
    assert state.runs_dir == "runs"
    output = state.read({"runs": "[1, 2]", "status": "lost", "nothing": "x", "common_stretch": "perhaps"})
    assert len(output) == 4
    assert state.settings() == RunsState().settings()
    assert App(None, query={"runs": '["gone"]'}).view.message.text.startswith("there is no run 'gone'")


def test_the_frozen_lines_give_the_same_comparison(app: App, folder: Path) -> None:
    app.state.param.update(runs=ids(folder)[:3], common_stretch=True)
    space: dict[str, Any] = {}
    lines = [line for line in app.state.python().splitlines() if "show" not in line]
    exec("\n".join(lines), space)
    shown = app.view._comparison
    assert shown is not None
    assert space["compared"].metrics.equals(shown.metrics)
    import yaml

    frozen = yaml.safe_load(app.state.papermill())
    assert frozen == {"runs_dir": str(folder), "runs": app.state.runs, "common_stretch": True, "log_scale": False}
    pytest.importorskip("papermill")
    from maestro.reports.notebooks.batch import read_batch
    from maestro.reports.notebooks.running import find_notebook

    notebook = find_notebook(app.state.notebook)
    assert notebook is not None
    (folder.parent / "frozen.yaml").write_text(app.state.papermill())
    (job,) = read_batch(folder.parent / "frozen.yaml", notebook)
    assert {name: job.parameters[name] for name in ("runs", "runs_dir", "common_stretch")} == {
        "runs": app.state.runs, "runs_dir": str(folder), "common_stretch": True
    }  # fmt: skip


def test_hostile_names_and_errors_stay_text(folder: Path) -> None:
    """Every text from outside is escaped where it becomes HTML, and plain text in cells and figures."""
    assert len(set(HOSTILE)) >= 50
    wf = ms.load_run(ids(folder)[0], folder)
    tables = {"folds": wf.folds, "trials": wf.trials, "trades": wf.trades, "equity": wf.equity}
    others, names = [], []
    for k, text in enumerate(HOSTILE):
        names.append(text.replace("/", "_").replace("\0", "")[:200])
        (folder / names[-1]).mkdir()
        spec = {
            **wf.manifest["spec"],
            "strategy": text,
            "search": text,
            "bars": {**wf.manifest["spec"]["bars"], "name": text},
        }
        manifest = {**wf.manifest, "spec": spec, "notes": [text], "error": text}
        (folder / names[-1] / "manifest.json").write_text(json.dumps(manifest))
        other = ms.WalkForward(manifest, tables)
        other.id = f"{k:02}{text}"
        others.append(other)
    app = App(runs_dir=str(folder))
    assert len(app.view.list.value) == 4 + len(HOSTILE)
    forms = {name: form["type"] for name, form in app.view.list.formatters.items() if isinstance(form, dict)}
    assert (forms.pop("curve"), set(forms.values())) == ("html", {"plaintext"})  # a curve is made of numbers alone
    app.view.ask(names, dict(zip(names, HOSTILE, strict=True)))
    shown = [app.view.doomed.object, app.view.broken.object]
    for begin in range(0, len(others), 17):
        found = compare_runs([wf, *others[begin : begin + 17]])
        app.view.show_comparison(found)
        shown += [app.view.metrics.object, app.view.settings.object, found._repr_html_()]
        labels = str([item.label for item in app.view.chart.object.children[0].legend[0].items])
        assert "$$" not in labels
        assert "@{" not in labels
    allowed = {"style", "/style"}
    for html in shown:
        tags = set(re.findall(r"<(/?[a-z!][a-z0-9]*)", html, re.I)) - allowed
        assert tags <= {
            *("div", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "p", "i", "code", "details", "summary"),
            *("/div", "/table", "/thead", "/tbody", "/tr", "/th", "/td", "/ul", "/li", "/p", "/i", "/code", "/details"),
            *("/summary", "caption", "/caption"),
        }
        assert not re.findall(r"<[^>]*\son[a-z]+=", html)
        assert html.count("<style>") <= 1
