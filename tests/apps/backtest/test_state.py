"""The Backtest app keeps a second backtest, and names what a link keeps that does not fit."""

from __future__ import annotations

import pytest

from maestro.apps.backtest.state import BacktestState
from maestro.errors import SettingsError


def test_nothing_is_kept_at_first() -> None:
    assert BacktestState().second() is None


def test_what_is_kept_stays_while_the_series_changes_with_the_page() -> None:
    state = BacktestState(fee=0.002, params={"fast": 7})
    state.keep()
    state.param.update(fee=0.0, params={}, data="sample:IBM")
    second = state.second()
    assert second is not None
    assert (second.fee, second.params, second.data) == (0.002, {"fast": 7}, "sample:IBM")
    assert second.second() is None


def test_kept_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"its settings are refused .*keep another one"):
        BacktestState(kept={"fee": "much"}).second()
    ignored = BacktestState(kept={"data": "sample:IBM"}).second()
    assert ignored is not None
    assert ignored.data == BacktestState().data
