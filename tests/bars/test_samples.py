"""Samples: what each of them is, adjusted and raw."""

from __future__ import annotations

import numpy as np
import pytest

import maestro as ms
from maestro.errors import BarsError


def test_every_sample_agrees_with_its_description() -> None:
    table = ms.samples()
    assert table["name"].to_list() == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    for name, line in table.iter_rows():
        bars = ms.load_sample(name)
        assert f"{len(bars):,} bars from {bars.start:%Y-%m-%d} to {bars.end:%Y-%m-%d}" in line
        assert (bars.timeframe, bars.periods_per_year, bars.symbol, bars.synthetic) == ("1d", 252, name, False)
        assert "252 trading days a year" in bars.notes[0]
        assert ms.load(f"sample:{name}").fingerprint == bars.fingerprint


def test_samples_are_adjusted_unless_asked_for_raw() -> None:
    raw, adjusted = ms.load_sample("MSFT", adjusted=False), ms.load_sample("MSFT")
    assert raw.close[0] == 90.81
    assert adjusted.close[0] == pytest.approx(30.225709797294, rel=1e-12)
    np.testing.assert_allclose(raw.close * raw.volume, adjusted.close * adjusted.volume, rtol=1e-12)
    assert (raw.close[1:] / raw.close[:-1]).min() < 0.55, "the split of 2003"
    assert (adjusted.close[1:] / adjusted.close[:-1]).min() > 0.8
    np.testing.assert_allclose(raw.high / raw.low, adjusted.high / adjusted.low, rtol=1e-12)
    assert "a split" in raw.notes[0] or "splits look like crashes" in raw.notes[0]


def test_the_sample_stays_the_same() -> None:
    assert ms.load_sample("AAPL").fingerprint == "48a17212290f2a0255b467c02cb0ccd5b320015ed4a219fc36f45c7aafd84e96"


@pytest.mark.parametrize(
    ("name", "message"), [("APPL", "Did you mean 'AAPL'"), ("", "there are: AAPL, FB, GOOG, IBM, MSFT")]
)
def test_unknown_sample(name: str, message: str) -> None:
    for call in (lambda: ms.load_sample(name), lambda: ms.load(f"sample:{name}")):
        with pytest.raises(BarsError, match=f"there is no sample '{name}'.*{message}"):
            call()
