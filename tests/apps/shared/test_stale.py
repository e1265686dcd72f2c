"""Results that do not belong to the controls are dimmed under a line that says why."""

from __future__ import annotations

import panel as pn

from maestro.apps.shared.stale import DIMMED, Stale


def test_a_mark_dims_all_content_and_is_taken_back() -> None:
    parts = pn.Column(styles={"color": "red"}), pn.Row()
    stale = Stale(*parts)
    stale.mark("Computed with other settings.")
    assert stale.line.text == "Computed with other settings."
    assert [part.styles["opacity"] for part in parts] == [DIMMED, DIMMED]
    stale.mark()
    assert stale.line.text == ""
    assert parts[0].styles == {"color": "red", "opacity": "1"}
