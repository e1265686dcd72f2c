"""The panes of the Market app: defects marked and gone to in turn, clean bars, and a series that cannot be shown."""

from __future__ import annotations

from typing import Any

import pytest

import maestro as ms
from maestro.apps.market import session
from maestro.apps.market.state import MarketState
from maestro.apps.market.view import HEIGHT, MarketView
from maestro.apps.shared.indicator_panes import PANE, IndicatorBox
from maestro.apps.shared.stale import DIMMED

CLEAN = ms.synthetic_bars(500, seed=1)


@pytest.fixture
def view() -> MarketView:
    return MarketView(IndicatorBox(MarketState()))


def windows(view: MarketView) -> list[Any]:
    """Windows that the chart goes to from now on."""
    went: list[Any] = []
    view.chart.param.watch(lambda event: went.append(event.new) if event.new else None, "window")
    return went


def test_defects_are_marked_where_they_are_and_gone_to_in_turn(view: MarketView, holed: ms.Bars) -> None:
    market = session.look(holed)
    view.update(market)
    gaps = [place for place in market.places if market.findings[place.row].check == "gap"]
    assert len(gaps) == 2
    assert [span["from"] for span in view.chart.spans] == [place.start // 1_000_000 for place in market.places]
    assert view.here.object == f"Places: {len(market.places)}. A click on a row goes to its next one."
    went = windows(view)
    for press in (view.on, view.on, view.back):
        press.clicks += 1
    assert went[0] == went[2] != went[1]
    for window, place in zip(went, (market.places[0], market.places[1]), strict=False):
        assert window[0] * 1_000_000 < place.start <= place.end < window[1] * 1_000_000
    assert view.here.object.startswith(f"1 of {len(market.places)}: ")
    view.back.clicks += 1
    assert view.here.object.startswith(f"{len(market.places)} of "), "before the first is the last"


def test_previous_begins_at_the_last_place(view: MarketView, holed: ms.Bars) -> None:
    market = session.look(holed)
    view.update(market)
    view.back.clicks += 1
    assert view.here.object.startswith(f"{len(market.places)} of ")


def test_a_click_on_a_row_goes_round_its_own_places(view: MarketView, holed: ms.Bars) -> None:
    market = session.look(holed)
    view.update(market)
    row = next(place.row for place in market.places if market.findings[place.row].check == "gap")
    seen = []
    for _ in range(3):
        view._clicked(row)
        seen.append(view._place)
    assert seen[0] == seen[2] != seen[1]
    assert {market.places[number].row for number in seen} == {row}


def test_clean_bars_are_reported_as_clean(view: MarketView, holed: ms.Bars) -> None:
    view.update(session.look(holed))
    assert (view.clean.visible, view.defects.box.visible, view.steps.visible) == (False, True, True)
    view.update(session.look(CLEAN))
    assert (view.clean.visible, view.defects.box.visible, view.steps.visible) == (True, False, False)
    assert view.chart.spans == []


def test_a_click_that_arrives_after_the_defects_have_gone_does_nothing(view: MarketView, holed: ms.Bars) -> None:
    view.update(session.look(holed))
    view.update(session.look(CLEAN))
    went = windows(view)
    view.on.clicks += 1
    view.back.clicks += 1
    view._clicked(0)
    assert went == []


def test_buttons_do_nothing_before_the_first_series(view: MarketView) -> None:
    went = windows(view)
    view.on.clicks += 1
    view._clicked(0)
    assert went == []


def test_a_problem_dims_the_series_before_and_the_next_one_is_current(view: MarketView) -> None:
    view.fail("there is no file")
    assert (view.message.text, view.stale.line.text) == ("there is no file", "")
    view.update(session.look(CLEAN))
    assert view.message.text == ""
    view.fail("there is no <b>file</b>")
    assert "<b>" not in view.message._line.object
    assert view.stale.line.text == f"This is still {CLEAN.name}."
    assert {card.styles["opacity"] for card in view.stale.content} == {DIMMED}
    view.update(session.look(CLEAN))
    assert (view.message.text, view.stale.line.text) == ("", "")
    assert {card.styles["opacity"] for card in view.stale.content} == {"1"}


def test_facts_and_notes_are_text(view: MarketView) -> None:
    bars = ms.Bars.from_frame(CLEAN.to_frame()[:60], provider="TEST", symbol="<i>X</i>", timeframe="1h")
    bars.notes = ("a <b>note</b>",)
    view.update(session.look(bars))
    assert "<h2>TEST:&lt;i&gt;X&lt;/i&gt;:1h</h2>" in view.facts.object
    assert "<dt>Length</dt><dd>60 bars</dd>" in view.facts.object
    assert "<p>a &lt;b&gt;note&lt;/b&gt;</p>" in view.facts.object


def test_another_pane_leaves_the_candles_and_makes_the_chart_higher(view: MarketView) -> None:
    view.update(session.look(CLEAN))
    candles = view.chart.candles
    assert view.chart.height == HEIGHT
    view.update(session.look(CLEAN, indicators=("RSI 14", "ATR 14")))
    assert view.chart.candles is candles, "the zoom stays"
    assert [pane["name"] for pane in view.chart.panes] == ["volume", "RSI 14", "ATR 14"]
    assert view.chart.height == HEIGHT + PANE * (len(view.chart.panes) - 2) > HEIGHT
    view.update(session.look(CLEAN[:100]))
    assert len(view.chart.candles["time"]) == 100
    assert view.chart.height == HEIGHT
