"""Templates escape text, miss no variable, and shown in a notebook they bring their style."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from maestro.reports.html.environment import Html, environment, render, stylesheet
from maestro.version import __version__


def test_text_is_escaped_and_html_is_not() -> None:
    shown = render("listing.html", title="<b>", text=Html("<i>x</i>"))
    assert isinstance(shown, Html)
    assert "&lt;b&gt;" in shown
    assert "<i>x</i>" in shown


def test_a_missing_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="title"):
        render("listing.html", text="x")


def test_the_version_is_known_to_all_templates() -> None:
    assert environment().from_string("{{ version }}").render() == __version__


def test_notebooks_get_the_style_once() -> None:
    shown = Html("<p>x</p>")._repr_html_()
    assert shown.count("<style>") == 1
    assert shown.endswith("<div class='mst'><p>x</p></div>")
    assert stylesheet("tables.css") in shown
