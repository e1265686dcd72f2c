"""Bars as text and in a notebook, with everything escaped."""

from __future__ import annotations

import maestro as ms
from maestro.bars import Bars
from tests.bars.tables import bars, table


def test_display() -> None:
    noted = Bars.from_frame(table(), symbol="<b>", synthetic=True, notes=("made up & rounded",))
    assert repr(noted) == (
        "Bars(<b>:1h, 10 bars, 2024-01-01 00:00 to 2024-01-01 09:00 UTC, synthetic) (made up & rounded)"
    )
    html = noted._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>:1h" not in html
    assert "synthetic, not from a market" in html
    assert "made up &amp; rounded" in html
    assert html.count("<tr>") == 1 + 3 + 1 + 3
    assert bars(2)._repr_html_().count("<tr>") == 3


def test_bars_of_months_have_dates_without_hours() -> None:
    assert "00:00" not in ms.load_sample("IBM")[:-1].resample("1mo")._repr_html_()
