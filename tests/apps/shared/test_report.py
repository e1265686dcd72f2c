"""A report stands in a sandboxed frame, in the theme of the page, and is saved as it was written."""

from __future__ import annotations

from maestro.apps.shared.report import ReportFrame

TEXT = '<!doctype html><html lang="en"><p title="a">1 &lt; 2</p></html>'


def test_a_report_is_hidden_until_it_is_shown_and_after_close() -> None:
    frame = ReportFrame()
    assert not frame.card.visible
    frame.put(TEXT, "abc")
    assert frame.card.visible
    assert frame.save.filename == "maestro-abc.html"
    frame.close.clicks += 1
    assert not frame.card.visible
    assert frame.frame.object == ""


def test_the_text_is_escaped_into_a_frame_that_cannot_reach_the_page() -> None:
    frame = ReportFrame()
    frame.put(TEXT, "abc")
    assert 'sandbox="allow-scripts"' in frame.frame.object
    assert "&lt;p title=&quot;a&quot;&gt;1 &amp;lt; 2&lt;/p&gt;" in frame.frame.object


def test_the_theme_changes_what_is_shown_and_not_what_is_saved() -> None:
    frame = ReportFrame()
    frame.put(TEXT, "abc")
    assert "data-theme=&quot;light&quot;" in frame.frame.object
    frame.theme(True)
    assert "data-theme=&quot;dark&quot;" in frame.frame.object
    assert frame.save.callback().getvalue().decode() == TEXT
