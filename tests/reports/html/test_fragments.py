"""Tables, pairs and paragraphs as HTML, with everything escaped."""

from __future__ import annotations

from maestro.reports.html.environment import Html
from maestro.reports.html.fragments import Cell, code, empty, joined, note, pairs, paragraph, table


def test_cells_are_escaped_and_numbers_aligned_right() -> None:
    found = table(["name", "value"], [["<b>", 5], [Cell("x", kind="lost", title='"t"'), 6]], numeric=[1])
    assert isinstance(found, Html)
    assert "&lt;b&gt;" in found
    assert "<b>" not in found
    assert found.count('class="num"') == 3  # the head too
    assert 'class="lost"' in found
    assert "&#34;t&#34;" in found


def test_html_inside_is_kept() -> None:
    assert "<code>a &amp; b</code>" in table(["x"], [[code("a & b")]])


def test_paragraphs_have_their_class() -> None:
    assert paragraph("a < b") == "<p>a &lt; b</p>"
    assert note("x") == '<p class="note">x</p>'
    assert empty("x") == '<p class="empty">x</p>'
    assert joined([note("x"), paragraph("y")]) == '<p class="note">x</p><p>y</p>'


def test_pairs_are_rows_of_two_columns() -> None:
    found = pairs([("a", 1), ("b", "<i>")])
    assert found.count("<tr>") == 2 or found.count("<dt>") == 2
    assert "&lt;i&gt;" in found


def test_a_heading_stands_over_its_numbers() -> None:
    found = str(table(["Side", "Profit", "Fees"], [["long", Cell("+1", kind="num lost"), "2"]], numeric=[2]))
    assert '<th class="num">Profit</th>' in found
    assert '<th class="num">Fees</th>' in found
    assert "<th>Side</th>" in found
