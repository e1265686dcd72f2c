"""HTML forms: values are escaped, markup that was made here is not."""

from __future__ import annotations

from maestro._core.markup import RIGHT, html, joined, notes_list, outcome_cell, table


def test_values_are_escaped_and_markup_is_kept() -> None:
    assert html("<b>{}</b>{:,.1f}{!r}", "<i>", 1234.5, "&") == "<b>&lt;i&gt;</b>1,234.5&#39;&amp;&#39;"
    assert html("<p>{}</p>", html("<b>{name}</b>", name='"')) == "<p><b>&#34;</b></p>"
    assert joined("<li>{}</li>", ["<", 1]) == "<li>&lt;</li><li>1</li>"


def test_a_table_escapes_titles_and_cells() -> None:
    made = table(("a<", "b"), [("<x>", outcome_cell(True, "<ok>"))], (RIGHT,))
    assert made == (
        '<table><thead><tr><th style="text-align:right">a&lt;</th><th>b</th></tr></thead><tbody><tr>'
        "<td style=\"text-align:right\">&lt;x&gt;</td><td style='color:#1a7f37;white-space:nowrap'>&lt;ok&gt;</td>"
        "</tr></tbody></table>"
    )
    assert table((), [("<td a cell>",)]) == "<table><tbody><tr><td>&lt;td a cell&gt;</td></tr></tbody></table>"


def test_no_notes_are_no_list() -> None:
    assert notes_list([]) == ""
    assert notes_list(["<"]) == "<ul><li>&lt;</li></ul>"
