"""The page of a series' defects needs no network and takes no markup from names."""

from __future__ import annotations

import re
from pathlib import Path

import maestro as ms
from maestro.reports import write_quality
from tests.reports.figures.test_quality import FRAME, HOLED


def test_the_page_stands_alone_and_takes_no_markup_from_names(tmp_path: Path) -> None:
    page = write_quality(HOLED, tmp_path / "quality.html").read_text()
    assert "gap" in page
    assert "<b>X" not in page
    assert not re.findall(r'<\w+ [^>]*(?:src|href)="https?:', page)


def test_a_clean_series_is_reported_as_clean(tmp_path: Path) -> None:
    page = write_quality(ms.Bars.from_frame(FRAME, timeframe="1h"), tmp_path / "quality.html").read_text()
    assert "No anomaly was found." in page
    assert "3,000 bars of 1h" in page
