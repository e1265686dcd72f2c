"""The band of the next window: reproducible, ordered, and wide enough for what it was drawn from."""

from __future__ import annotations

import copy

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.decision.expectation import expectation
from maestro.errors import SettingsError

WF = ms.walk_forward(ms.load_sample("IBM"), "EmaCrossStrategy", trials=10, executor="serial")


def test_the_band_is_ordered_and_the_same_for_the_same_seed() -> None:
    found = expectation(WF, 100)
    values = list(found.total_return.values())
    assert values == sorted(values)
    assert all(-1 <= fall <= 0 for fall in found.max_drawdown.values())
    assert expectation(WF, 100) == found
    assert expectation(WF, 100, seed=1) != found


def test_one_bar_has_the_quantiles_of_the_returns() -> None:
    found = expectation(WF, 1, repetitions=20_000)
    returns = WF.equity["return"].to_numpy()
    for level in (0.05, 0.95):
        assert found.total_return[f"{level:g}"] == pytest.approx(np.quantile(returns, level), abs=2e-3)


def test_a_stretch_longer_than_the_past_is_drawn_too() -> None:
    n = len(WF.equity)
    assert expectation(WF, 2 * n, repetitions=100).bars == 2 * n


def test_a_ruined_account_stays_ruined() -> None:
    ruined = copy.copy(WF)
    lost = pl.when(pl.col("return") < -0.02).then(-1.5).otherwise("return")
    ruined.equity = WF.equity.with_columns(lost.alias("return"))
    found = expectation(ruined, 100)
    assert found.total_return["0.05"] == found.max_drawdown["0.05"] == -1.0


@pytest.mark.parametrize(("settings", "words"), [({"bars": 0}, "bars=0"), ({"repetitions": 99}, "repetitions=99")])
def test_impossible_settings_are_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        expectation(WF, **settings)
