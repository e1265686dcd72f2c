"""The figure of a series' defects: a mark for each, in its place, and a page that needs no network."""

from __future__ import annotations

import numpy as np
import polars as pl

import maestro as ms
from maestro.reports import quality_figure

FRAME = ms.synthetic_bars(3_000, seed=2).to_frame()
HOLED = ms.Bars.from_frame(pl.concat([FRAME[:1_000], FRAME[1_300:]]), symbol="<b>X</b>", timeframe="1h")


def test_every_finding_is_marked_where_it_is() -> None:
    found = HOLED.quality()
    figure = quality_figure(HOLED)
    assert [item.label.value for item in figure.legend[0].items] == ["Close", "gap (1)"]
    band = figure.legend[0].items[1].renderers[0].data_source.data
    gap = found.findings[0]
    assert band["left"][0] <= gap.first / 1e3 <= band["right"][0]
    assert band["right"][0] - band["left"][0] >= 300 * 3_600_000
    assert np.isfinite(band["top"]).all()
    clean = quality_figure(ms.Bars.from_frame(FRAME, timeframe="1h"))
    assert [item.label.value for item in clean.legend[0].items] == ["Close"]
