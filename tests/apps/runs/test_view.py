"""The panes of the Runs app: the list, what is broken, what can be done, the question before a removal, settings."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from maestro.apps.runs.session import SCHEMA
from maestro.apps.runs.view import BROKEN, RunsView
from maestro.reports.tables.compare import Comparison

COLUMNS = {**SCHEMA, "efficiency": pl.Float64, "curve": pl.String, "pin": pl.String}


def table_of(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of the list as the app gives them; what is left out is null, as for a broken run."""
    return pl.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows], schema=COLUMNS)


def done(ident: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "status": "done", "strategy": "EmaCrossStrategy", "sharpe_ratio": 1.5, **more}


@pytest.fixture
def view() -> RunsView:
    return RunsView()


def test_runs_are_listed_and_counted_and_the_chosen_ones_ticked(view: RunsView) -> None:
    view.show_list(table_of(done("a"), done("b"), done("c")), 3, ["c", "gone", "a"])
    assert view.list.value["id"].tolist() == ["a", "b", "c"]
    assert (view.ticked(), view.count.object) == (["a", "c"], "3 runs; 1 chosen one is not listed")
    view.show_list(table_of(done("b")), 3, [])
    assert (view.ticked(), view.count.object) == ([], "1 of 3 runs")
    view.show_list(table_of(done("b")), 1, [])
    assert view.count.object == "1 run"
    view.show_list(table_of(), 0, [])
    assert (len(view.list.value), view.count.object) == (0, "0 runs")


def test_missing_texts_are_empty_and_missing_figures_stay_missing(view: RunsView) -> None:
    view.show_list(table_of({"id": "a", "status": "broken", "error": "there is no manifest"}), 1, [])
    row = view.list.value.iloc[0]
    assert (row["strategy"], row["note"], row["curve"]) == ("", "", "")
    assert row["sharpe_ratio"] != row["sharpe_ratio"]


def test_runs_that_cannot_be_opened_are_explained_up_to_a_number(view: RunsView) -> None:
    view.show_list(table_of(done("a")), 1, [])
    assert not view.broken.visible
    bad = [{"id": f"r{k}", "status": "broken", "error": f"<b>{k}</b>"} for k in range(BROKEN + 2)]
    view.show_list(table_of(done("a"), *bad), len(bad) + 1, [])
    assert view.broken.visible
    assert f"{BROKEN + 2} runs that cannot be opened: why" in view.broken.object
    assert "<li><code>r0</code>, broken: &lt;b&gt;0&lt;/b&gt;</li>" in view.broken.object
    assert "<li>and 2 more</li>" in view.broken.object
    assert view.broken.object.count("<code>") == BROKEN
    view.show_list(table_of(bad[0]), 1, [])
    assert "1 run that cannot be opened: why" in view.broken.object
    assert "more</li>" not in view.broken.object


def test_ticks_follow_the_chosen_runs_and_those_not_listed_are_left_out(view: RunsView) -> None:
    view.show_list(table_of(done("a"), done("b"), done("c")), 3, [])
    changes: list[Any] = []
    view.list.param.watch(lambda event: changes.append(event.new), "selection")
    view.tick(["c", "gone", "b"])
    assert view.ticked() == ["b", "c"]
    view.tick(["b", "c"])
    assert len(changes) == 1, "the same ticks are no change"


@pytest.mark.parametrize(
    ("allowed", "labels", "disabled"),
    [
        ({"report": False, "excel": 0, "remove": 0}, ("Pin", "Excel", "Delete"), (True, True, True, True)),
        ({"report": True, "excel": 1, "remove": 1, "pin": True}, ("Pin", "Excel", "Delete"), (False,) * 4),
        ({"report": True, "excel": 1, "remove": 1, "pin": False}, ("Unpin", "Excel", "Delete"), (False,) * 4),
        (
            {"report": False, "excel": 2, "remove": 3},
            ("Pin", "Excel (2 in one zip)", "Delete 3"),
            (True, True, False, False),
        ),
    ],
)
def test_buttons_show_what_can_be_done_with_what_is_ticked(
    allowed: dict[str, Any], labels: tuple[str, ...], disabled: tuple[bool, ...], view: RunsView
) -> None:
    view.allow(**allowed)
    assert (view.pin.label, view.excel.label, view.remove.label) == labels
    assert tuple(b.disabled for b in (view.report, view.pin, view.excel, view.remove)) == disabled


def test_a_run_leads_to_the_walk_forward_app_or_to_the_reason_why_not(view: RunsView) -> None:
    view.lead("./walk_forward?data='x'&seed=1", "Open")
    assert view.onward.visible
    assert view.onward.object == ("<a class='button' href='./walk_forward?data=&#x27;x&#x27;&amp;seed=1'>Open</a>")
    view.lead("", "Open", "its <b>series</b> is gone")
    assert view.onward.object.endswith("its &lt;b&gt;series&lt;/b&gt; is gone</small>")
    view.lead("", "Open")
    assert (view.onward.visible, view.onward.object) == (False, "")


@pytest.mark.parametrize(
    ("hidden", "ending"),
    [
        (0, "</ul>"),
        (1, "<p>1 chosen run that the filters hide stays.</p>"),
        (2, "<p>2 chosen runs that the filters hide stay.</p>"),
    ],
)
def test_a_removal_asks_first_and_names_what_the_filters_hide(hidden: int, ending: str, view: RunsView) -> None:
    view.ask(["a", "b"], {"a": "EmaCrossStrategy on <i>X</i>"}, hidden)
    assert view.dialog.open
    assert view.sure.label == "Delete 2 runs"
    assert (
        "<li><code>a</code> EmaCrossStrategy on &lt;i&gt;X&lt;/i&gt;</li><li><code>b</code> </li>" in view.doomed.object
    )
    assert view.doomed.object.endswith(ending)
    view.ask(["a"], {})
    assert view.sure.label == "Delete 1 run"


# -- comparison ------------------------------------------------------------------------------------


def compared(*names: str, differs: bool = True) -> Comparison:
    values = {name: [str(k) if differs else "0", "same"] for k, name in enumerate(names)}
    settings = pl.DataFrame({"setting": ["seed", "search"], "differs": [differs, False], **values})
    metrics = pl.DataFrame({"metric": ["Sharpe <ratio>"], **{name: ["1.5"] for name in names}})
    return Comparison(names, (), metrics, settings, ("other bars", "other stretches"))


@pytest.fixture
def drawn(view: RunsView, monkeypatch: pytest.MonkeyPatch) -> RunsView:
    """A view whose comparisons have an empty figure: the curves are tested with the figure."""
    from bokeh.layouts import column

    monkeypatch.setattr(Comparison, "figure", lambda self, log=False: column([]))
    return view


def test_settings_that_differ_are_shown_and_the_others_on_request(drawn: RunsView) -> None:
    drawn.show_comparison(compared("one", "two"))
    assert drawn.compared.visible
    assert drawn.notes.text == "other bars other stretches"
    assert "Sharpe &lt;ratio&gt;" in drawn.metrics.object
    assert "<tr class='differs'><td>seed</td>" in drawn.settings.object
    assert "<td>search</td>" not in drawn.settings.object
    drawn.every.value = True
    assert "<tr><td>search</td>" in drawn.settings.object


def test_equal_settings_are_stated(drawn: RunsView) -> None:
    drawn.show_comparison(compared("one", "two", differs=False))
    assert drawn.settings.object.endswith("<p>Every setting is the same.</p>")
    assert "class='differs'" not in drawn.settings.object


def test_one_run_has_all_of_its_settings_and_none_differs(drawn: RunsView) -> None:
    drawn.show_comparison(compared("one"))
    assert not drawn.every.visible
    assert "<tr><td>seed</td>" in drawn.settings.object
    assert "<tr><td>search</td>" in drawn.settings.object


def test_without_a_comparison_nothing_is_shown(drawn: RunsView) -> None:
    drawn.show_comparison(compared("one", "two"))
    drawn.show_comparison(None)
    assert (drawn.compared.visible, drawn.notes.text) == (False, "")
    before = drawn.settings.object
    drawn.every.value = True
    assert drawn.settings.object == before
