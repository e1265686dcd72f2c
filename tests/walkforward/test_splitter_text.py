"""Settings given as text mean what the objects mean, and go there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maestro as ms
from maestro.errors import SettingsError, SplitError
from maestro.runs.spec import SplitterSpec
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitter_text import recorded_splitter, splitter_of, splitter_text

NUMBERS = st.floats(1e-6, 1e6)


@settings(deadline=None)  # the first call may compile code
@given(st.sampled_from(["cash", "units", "volatility"]), NUMBERS, NUMBERS)
def test_a_sizing_goes_there_and_back(kind: Any, value: float, most: float) -> None:
    sizing = ms.Sizing(kind, value, most)
    assert ms.Sizing.of(sizing.text) == sizing
    assert ms.Sizing.of(sizing) is sizing


@pytest.mark.parametrize(
    ("text", "splitter"),
    [
        ("rolling:10,2,1", ms.Rolling()),
        ("rolling:8,3,2,purge=24,embargo=6", ms.Rolling(8, 3, 2, purge=24, embargo=6)),
        ("expanding:5", ms.Expanding(5)),
        ("calendar:6mo,1mo", ms.Calendar("6mo", "1mo")),
        ("adaptive:10,2", ms.Adaptive(10, 2)),
        ("on-regime", ms.OnRegime()),
        ("on-regime:2y,0.95,5,1mo,1y", ms.OnRegime(train="2y", p=0.95, confirm=5, min_gap="1mo", max_gap="1y")),
        (
            "on-regime:1y,confirm=4,states=3,features=return+volatility,window=30,model=jump,penalty=20,seed=7",
            ms.OnRegime(
                train="1y",
                confirm=4,
                model=ms.Regimes(
                    states=3, features=("return", "volatility"), window=30, model="jump", penalty=20, seed=7
                ),
            ),
        ),
    ],
)
def test_a_splitter_goes_there_and_back(text: str, splitter: Any) -> None:
    assert splitter_of(text) == splitter
    assert splitter_of(splitter_text(splitter)) == splitter
    settings = json.loads(json.dumps(splitter.to_dict()))
    assert recorded_splitter(SplitterSpec(settings.pop("kind"), settings)) == splitter


def test_a_text_gives_the_same_run_as_the_object() -> None:
    bars = ms.synthetic_bars(600, seed=1)
    asked: dict[str, Any] = {"trials": 3, "executor": "serial", "select": "vwr"}
    by_text = ms.walk_forward(bars, "RSIStrategy", splitter="rolling:4,2,1", sizing="percent:0.5", **asked)
    by_object = ms.walk_forward(bars, "RSIStrategy", splitter=ms.Rolling(4), sizing=ms.Sizing.percent(0.5), **asked)
    assert by_text.id == by_object.id
    assert by_text.spec.selection.metrics == ("vwr",)
    assert Selection.of("sharpe_ratio, vwr") == Selection()


@pytest.mark.parametrize("text", ["half", "percent:x", "percent:1,2,3", "cash:-1", "percent:", 3, None])
def test_what_is_no_sizing_is_refused(text: Any) -> None:
    if text == "percent:":
        assert ms.Sizing.of(text) == ms.Sizing.percent(1.0)
        return
    with pytest.raises(SettingsError, match="sizing"):
        ms.Sizing.of(text)


@pytest.mark.parametrize(
    "text",
    [
        "roling:3", "rolling:1,2,3,4", "rolling:10,n_splits=3", "calendar:6xx,1mo", "on-regime:1y,purge=3",
        "on-regime:1y,states=1", "on-regime:1y,features=mood", "on-regime:1y,model=neural", "on-regime:1y,2", 7, None,
    ],
)  # fmt: skip
def test_what_is_no_splitter_is_refused(text: Any) -> None:
    with pytest.raises(SplitError):
        splitter_of(text).split(ms.synthetic_bars(100, seed=1))
