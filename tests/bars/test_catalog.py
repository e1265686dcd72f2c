"""Bars of the configured store: one object while its rows stay the same, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

import maestro as ms
from maestro.data.stores import SeriesKey, configured_store
from maestro.errors import BarsError


def test_a_stored_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    walk = ms.synthetic_bars(48, seed=3)
    configured_store().append(SeriesKey("TEST", "WALK", "1h"), walk.to_frame())
    bars = ms.load("TEST:WALK:1h", periods_per_year=252)
    assert (bars.fingerprint, bars.name, bars.periods_per_year) == (walk.fingerprint, "TEST:WALK:1h", 252)
    part = ms.load("TEST:WALK:1h", start="2020-01-01 06:00", end="2020-01-02")
    assert part.fingerprint == walk[6:24].fingerprint
    assert eval(part.origin, {"ms": ms}).fingerprint == part.fingerprint
    with pytest.raises(BarsError, match=r"holds no bars of TEST:WALKS:1h; `maestro data fetch TEST WALKS 1h`"):
        ms.load("TEST:WALKS:1h")
    with pytest.raises(BarsError, match="no bar of TEST:WALK:1h from 2030"):
        ms.load("TEST:WALK:1h", start="2030")


def test_the_same_call_gives_the_same_object_until_the_rows_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAESTRO_STORE", str(tmp_path / "store"))
    walk, key = ms.synthetic_bars(48, seed=3), SeriesKey("TEST", "WALK", "1h")
    configured_store().append(key, walk[:40].to_frame())
    first = ms.load("TEST:WALK:1h")
    assert ms.load("TEST:WALK:1h") is first
    configured_store().append(key, walk[40:].to_frame())
    assert ms.load("TEST:WALK:1h").fingerprint == walk.fingerprint
    with pytest.raises(BarsError, match="TEST:WALK:1h is named already; leave out symbol"):
        ms.load("TEST:WALK:1h", symbol="X")
