"""Bars with defects that tests of the Market app share."""

from __future__ import annotations

import polars as pl
import pytest

import maestro as ms


@pytest.fixture(scope="session")
def holed() -> ms.Bars:
    """Bars with two holes, funding, open interest and basis."""
    frame = ms.synthetic_bars(2_000, seed=2).to_frame()
    frame = frame.with_columns(
        funding_rate=pl.when(pl.int_range(pl.len()) % 8 == 0).then(0.0001), open_interest=pl.lit(5.0), basis=pl.lit(0.1)
    )
    holed = pl.concat([frame[:300], frame[400:900], frame[930:]])
    return ms.Bars.from_frame(holed, provider="TEST", symbol="HOLED", timeframe="1h")
