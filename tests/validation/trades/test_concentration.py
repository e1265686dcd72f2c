"""Concentration of profit by hand: shares of folds, months, sides and the best trades."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from maestro.errors import SettingsError
from maestro.validation.trades.concentration import concentration


def result(*rows: tuple[int, str, float]) -> SimpleNamespace:
    """A result with trades: month of the exit, side, pnl; the account begins with 1,000."""
    trades = pl.DataFrame(
        {
            "exit_time": [datetime(2024, month, 1 + place, tzinfo=UTC) for place, (month, _, _) in enumerate(rows)],
            "side": [side for _, side, _ in rows],
            "pnl": [pnl for _, _, pnl in rows],
            "exit_reason": ["signal"] * len(rows),
        },
        schema_overrides={"pnl": pl.Float64, "side": pl.String, "exit_reason": pl.String},
    )
    return SimpleNamespace(trades=trades, cash=1_000.0)


def test_shares_are_of_the_log_return() -> None:
    found = concentration(result((1, "long", 100.0), (1, "short", -100.0), (2, "long", 210.0)))
    grown = np.log([1.1, 1_000 / 1_100, 1.21])
    assert found.trades == 3
    assert found.total_return == pytest.approx(0.21)
    assert found.largest == pytest.approx(grown[2] / grown.sum())
    months = found.by("month")
    assert months["part"].to_list() == ["2024-01", "2024-02"]
    np.testing.assert_allclose(months["log_return"], [grown[:2].sum(), grown[2]], atol=1e-15)
    assert found.by("side")["trades"].to_list() == [2, 1]
    assert found.without["best"].to_list() == [1]
    assert found.without["total_return"][0] == pytest.approx(0.0)


def test_a_loss_has_no_shares() -> None:
    found = concentration(result((1, "long", -100.0), (2, "long", 50.0)))
    assert found.parts["share"].null_count() == len(found.parts)
    assert np.isnan(found.largest)


def test_without_a_trade_there_is_nothing_to_split() -> None:
    with pytest.raises(SettingsError, match="no trade was closed, so there is no profit to split"):
        concentration(result())
    with pytest.raises(SettingsError, match="parts by 'year' are not there; there are: month, side"):
        concentration(result((1, "long", 1.0))).by("year")
