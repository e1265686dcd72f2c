"""Live fills beside the model's: equal fills give the model's return, and a band says what is unusual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.decision import read_fills, track
from maestro.decision.now import now
from maestro.errors import RunError, SettingsError

WHOLE = ms.load_sample("AAPL")
WF = ms.walk_forward(WHOLE[:2_400], "EmaCrossStrategy", trials=10, executor="serial")
CHOSEN = now(WF)


def test_the_models_own_fills_give_the_models_return(tmp_path: Path) -> None:
    model = track(WF, pl.DataFrame({"timestamp": [], "side": [], "size": [], "price": []}), WHOLE, CHOSEN)
    assert len(model.model_fills) > 3
    assert model.live_return == 0.0
    path = tmp_path / "fills.csv"
    model.model_fills.write_csv(path)
    live = track(WF, read_fills(path), WHOLE, CHOSEN)
    assert live.live_return == pytest.approx(live.model_return, abs=1e-12)
    assert live.position == pytest.approx(live.model_position)
    assert live.bars == len(WHOLE) - 2_400 == live.expected.bars
    assert f"After {live.bars:,} bars the live account returned {live.live_return:+.2%}" in live.summary
    assert live.to_dict()["inside"] == live.inside


def test_a_loss_outside_the_band_is_reported() -> None:
    first = WHOLE[:2_420].end
    fills = pl.DataFrame(
        {"timestamp": [first] * 2, "side": ["buy", "sell"], "size": [1.0, 1.0], "price": [95_000.0, 1.0]}
    )
    found = track(WF, fills, WHOLE[:2_500], CHOSEN)
    assert found.live_return == pytest.approx(-0.94999)
    assert not found.inside
    assert "is below the band" in found.summary


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"side": "hold"}, "give an ISO timestamp, buy or sell"),
        ({"size": -1.0}, "give an ISO timestamp"),
        ({"timestamp": "soon"}, "give an ISO timestamp"),
        ({"timestamp": "1999-01-01"}, "1 fills are before 20.*when the parameters came into use"),
        ({"price": None}, "give an ISO timestamp"),
        ({"fee": "free"}, "a number or nothing as the fee"),
        ({"price": float("inf")}, "give an ISO timestamp"),
    ],
)
def test_fills_that_are_none_are_refused(row: dict[str, Any], words: str) -> None:
    good = {"timestamp": f"{WHOLE[:2_450].end:%Y-%m-%d}", "side": "buy", "size": 1.0, "price": 100.0}
    with pytest.raises(SettingsError, match=words):
        track(WF, pl.DataFrame([good | row]), WHOLE, CHOSEN)


def test_missing_columns_files_and_bars_are_reported(tmp_path: Path) -> None:
    (tmp_path / "fills.csv").write_text("time,qty\n1,2\n")
    with pytest.raises(SettingsError, match="the fills lack timestamp, side, size, price"):
        read_fills(tmp_path / "fills.csv")
    with pytest.raises(SettingsError, match=r"none\.csv does not exist; give a CSV file"):
        read_fills(tmp_path / "none.csv")
    empty = pl.DataFrame({"timestamp": [], "side": [], "size": [], "price": []})
    with pytest.raises(RunError, match="no bar has closed since"):
        track(WF, empty, WHOLE[:2_400], CHOSEN)
