"""The page of an app: menu, theme, sidebar, cards and messages, whose texts stay text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import panel as pn
import pytest
from panel.util import edit_readonly

from maestro.apps.market.state import MarketState
from maestro.apps.shared import page as pages
from maestro.apps.shared.page import APPS, HtmlPane, Message, card, menu_text, message_html, page


class Drawing(pn.viewable.Viewer):
    """Draws something by itself in the theme of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.themes: list[bool] = []

    def theme(self, dark: bool) -> None:
        self.themes.append(dark)

    def __panel__(self) -> Any:
        return pn.Column()


@pytest.mark.parametrize("kind", ["error", "warning", "info", "success"])
def test_a_message_has_the_role_of_its_kind_and_obeys_no_markup(kind: str) -> None:
    role = "alert" if kind == "error" else "status"
    assert message_html("<b>'x'</b>", kind) == (
        f"<div role='{role}' class='{kind}'>&lt;b&gt;&#x27;x&#x27;&lt;/b&gt;</div>"
    )
    assert message_html("", kind) == ""


def test_a_message_is_hidden_while_it_is_empty() -> None:
    message = Message()
    line = message.__panel__()
    assert (message.text, line.visible, line.object) == ("", False, "")
    message.say("wrong")
    assert (message.text, line.visible) == ("wrong", True)
    assert "class='error'" in line.object
    message.say("good", "success")
    assert "class='success'" in line.object
    message.say()
    assert (message.text, line.visible, line.object) == ("", False, "")


def test_a_card_has_its_title_as_text_and_is_as_high_as_its_content() -> None:
    content = pn.Column()
    made = card("<b>Trades</b>", content, styles={"opacity": "1"}, visible=False)
    inner = made.objects[0]
    assert inner[0].object == "<h2>&lt;b&gt;Trades&lt;/b&gt;</h2>"
    assert inner[1] is content
    assert made.styles == {"max-height": "none", "opacity": "1"}
    assert not made.visible
    assert list(card("", content).objects[0]) == [content]


@pytest.mark.parametrize("name", list(APPS))
def test_the_menu_marks_the_current_app(name: str) -> None:
    text = menu_text(name, None)
    assert text.count("<a href=") == len(APPS)
    assert text.count("aria-current") == 1
    assert f" aria-current=page>{APPS[name]}</a>" in text


def test_the_menu_of_the_home_page_marks_none() -> None:
    assert "aria-current" not in menu_text("home", None)


@pytest.mark.parametrize(("name", "title"), [("walk_forward", "Walk-forward"), ("home", "Maestro")])
def test_the_name_of_an_app_is_the_heading_of_its_page(name: str, title: str) -> None:
    assert page(name, [], []).header[0].object == f"<h1>{title}</h1>"


def test_the_menu_follows_the_settings() -> None:
    state = MarketState()
    made = page("market", ["controls"], ["content"], state)
    menu = made.header[1]
    assert "sample:IBM" not in menu.object
    state.data = "sample:IBM"
    assert 'href="./backtest?data=sample%3AIBM' in menu.object
    state.data = 'x"><script>.csv'
    assert "<script" not in menu.object
    assert '"><' not in menu.object.replace('"><a', "")


def test_views_are_drawn_in_the_theme_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pn.config, "theme", "default")
    view, plain = Drawing(), pn.Column()
    made = page("market", [], [plain, view])
    assert view.themes == []
    made.dark_theme = True
    made.dark_theme = False
    assert view.themes == [True, False]


def test_a_page_without_controls_has_no_sidebar_and_a_narrow_one_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    home = page("home", [], ["content"])
    assert (list(home.sidebar), home.sidebar_open, home.sidebar_width) == ([], False, 0)
    wide = page("market", ["controls"], ["content"])
    assert (len(wide.sidebar), wide.sidebar_open, wide.sidebar_width) == (1, True, 330)
    monkeypatch.setattr(pages, "is_narrow", lambda: True)
    narrow = page("market", ["controls"], ["content"])
    assert (len(narrow.sidebar), narrow.sidebar_open) == (1, False)


def test_a_busy_visitor_does_not_mark_other_pages_busy() -> None:
    made = page("backtest", [], [])
    with edit_readonly(pn.state):
        pn.state.busy = True
        assert made.busy is False
        pn.state.busy = False


def test_styles_in_a_notebook_cell_come_from_no_other_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    from bokeh.models.css import ImportedStyleSheet, InlineStyleSheet
    from panel.io.resources import CDN_DIST

    monkeypatch.setattr(
        pn.pane.HTML,
        "_get_properties",
        lambda pane, doc: {"stylesheets": ["p { margin: 0; }", ImportedStyleSheet(url=f"{CDN_DIST}css/loading.css")]},
    )

    def sheets() -> list[Any]:
        return list(HtmlPane("text")._get_properties(None)["stylesheets"])

    monkeypatch.setattr(pn, "config", SimpleNamespace(inline=False))
    assert [type(sheet) for sheet in sheets()] == [str, ImportedStyleSheet]
    monkeypatch.setattr(pn, "config", SimpleNamespace(inline=True))
    assert [type(sheet) for sheet in sheets()] == [str, InlineStyleSheet]
