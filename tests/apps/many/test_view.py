"""The panes of the app of many walk-forwards: the sentence, failures, p-values, rows, curves, and a phone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import panel as pn
import polars as pl
import pytest

import maestro as ms
from maestro.apps.many.session import ManySession
from maestro.apps.many.view import ManyView
from maestro.walkforward.many import Cell, WalkForwards


@pytest.fixture(scope="module")
def many(folder: Path) -> WalkForwards:
    [name] = ManySession(folder).results().values()
    return ms.load_walk_forwards(name, folder)


@pytest.fixture
def view() -> ManyView:
    return ManyView()


def stand_in(failed: int = 0, notes: tuple[str, ...] = (), p_values: tuple[float | None, ...] = ()) -> Any:
    """What the summary needs of a result."""
    errors = {Cell(f"<S{k}>", "1d", "Rule"): f"too <few> bars {k}" for k in range(failed)}
    table = pl.DataFrame({"p_value": p_values}, schema={"p_value": pl.Float64})
    found = SimpleNamespace(sentence="<none> remains.", best_in_words="the best & only", table=table)
    return SimpleNamespace(significance=found, notes=notes, errors=errors)


def test_the_summary_has_the_sentence_the_p_values_and_the_failures(view: ManyView, many: WalkForwards) -> None:
    assert not view.body.visible
    view.show_result(many)
    assert view.body.visible
    assert f"<p class='sentence'>{many.significance.sentence}</p>" in view.head.object
    assert "<summary>1 failed: why</summary>" in view.head.object
    assert "SHORT" in view.head.object
    assert view.histogram.visible
    assert "<svg" in view.histogram.object
    view.show_result(None)
    assert not view.body.visible


def test_without_p_values_there_is_no_histogram_and_texts_stay_text(view: ManyView) -> None:
    view.show_result(stand_in(failed=1, notes=("a <b>note</b>",), p_values=(None,)))
    assert (view.histogram.visible, view.histogram.object) == (False, "")
    assert "<p class='sentence'>&lt;none&gt; remains.</p>" in view.head.object
    assert "<ul><li>a &lt;b&gt;note&lt;/b&gt;</li></ul>" in view.head.object
    assert "too &lt;few&gt; bars 0" in view.head.object


@pytest.mark.parametrize(("failed", "listed", "more"), [(0, 0, False), (50, 50, False), (53, 50, True)])
def test_failures_are_explained_up_to_fifty(failed: int, listed: int, more: bool, view: ManyView) -> None:
    view.show_result(stand_in(failed=failed))
    assert view.head.object.count("too &lt;few&gt; bars") == listed
    assert ("<summary>" in view.head.object) == (failed > 0)
    assert ("<li>and 3 more, in the table</li>" in view.head.object) is more


def test_rows_are_counted_and_their_curves_drawn_up_to_a_number(view: ManyView, many: WalkForwards) -> None:
    rows = ManySession.rows(many)
    view.show_rows(many, rows, 10)
    assert (len(view.list.value), view.count.object) == (6, "6 walk-forwards")
    assert view.multiples.object.count("<figure") == 5, "one has no curve"
    view.show_rows(many, rows, 2)
    assert view.multiples.object.startswith("<p>Curves of the first 2 of 6 rows.</p>")
    assert view.multiples.object.count("<figure") == 2
    view.show_rows(many, rows.filter(pl.col("symbol") == "S1"), 10)
    assert view.count.object == "1 of 6 walk-forwards"
    assert "<figure title='EmaCrossStrategy on S1 1d'>" in view.multiples.object
    view.show_rows(many, rows.filter(pl.col("symbol") == "SHORT"), 10)
    assert view.multiples.object == "<p>No row has a curve.</p>"
    view.show_rows(many, rows.clear(), 10)
    assert (view.count.object, view.multiples.object) == ("0 of 6 walk-forwards", "<p>No row has a curve.</p>")


def test_other_rows_end_the_choice_of_one(view: ManyView, many: WalkForwards) -> None:
    rows = ManySession.rows(many, order="symbol")
    assert view.chosen() is None
    view.show_rows(many, rows, 2)
    view.list.selection = [1]
    chosen = view.chosen()
    assert chosen is not None
    assert chosen["symbol"] == rows["symbol"][1] == view.list.value["symbol"][1]
    view.show_rows(many, rows[3:], 2)
    assert view.chosen() is None


def test_a_row_without_a_result_has_its_error_and_no_figures(view: ManyView, many: WalkForwards) -> None:
    view.show_rows(many, ManySession.rows(many, only="failed"), 2)
    row = view.list.value.iloc[0]
    assert row["symbol"] == "SHORT"
    assert row["error"]
    assert row["sharpe_ratio"] != row["sharpe_ratio"]


def test_an_open_report_follows_the_theme(view: ManyView) -> None:
    view.opened.put("<html lang='en'></html>", "a")
    view.theme(True)
    assert "data-theme=&quot;dark&quot;" in view.opened.frame.object


def test_a_phone_shows_the_figures_that_decide_first(many: WalkForwards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(pn.state), "headers", {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile"})
    view = ManyView()
    view.show_rows(many, ManySession.rows(many), 1)
    shown = view.list
    assert shown.value.columns.tolist()[:5] == ["symbol", "strategy", "sharpe_ratio", "p_adjusted", "timeframe"]
    assert sum(shown.widths[name] for name in shown.value.columns[:4]) <= 420 - 2 * 36
