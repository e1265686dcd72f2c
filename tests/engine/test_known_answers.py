"""Known answers on real bars that lie in the project: SPY, 2006, by hand, in our engine and in backtrader itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro import metrics
from maestro.bars import Bars
from tests.engine.libraries import library
from tests.support.real_data import INSIDE

UNITS, CASH, FEE = 300, 50_000.0, 0.001
FIGURES = {  # of backtrader's analyzers: final value, VWR, SharpeRatio_A
    "hold": (54_368.951, 5.167774634635, 1.025591946921),
    "cross": (52_743.17, 3.433821171653, 0.796632702287),
}


@pytest.fixture(scope="module")
def spy() -> Bars:
    rows = pl.read_parquet(INSIDE / "lean_us_equity_daily_10sym.parquet")
    rows = rows.filter(pl.col("symbol") == "SPY", pl.col("dt").dt.year() == 2006).drop("symbol")
    return Bars.from_frame(rows, symbol="SPY")


def signals(bars: Bars, rule: str) -> ms.Signals:
    if rule == "hold":
        return ms.Signals(np.arange(len(bars)) == 0)
    fast, slow = ms.indicators.sma(bars.close, 10), ms.indicators.sma(bars.close, 30)
    apart = np.append(np.nan, fast[:-1] - slow[:-1])
    return ms.Signals((fast > slow) & (apart <= 0), (fast < slow) & (apart >= 0))


def by_hand(bars: Bars, rule: str) -> float:
    """Cash after all fills at the next open, and what is held at the last close."""
    cash, held = CASH, 0
    close, opens = bars.close.tolist(), bars.open.tolist()
    for place in range(1, len(close)):
        before = place - 1
        if rule == "hold":
            enter, leave = before == 0, False
        elif before >= 30:
            now = np.mean(close[before - 9 : before + 1]) - np.mean(close[before - 29 : before + 1])
            then = np.mean(close[before - 10 : before]) - np.mean(close[before - 30 : before])
            enter, leave = now > 0 >= then, now < 0 <= then
        else:
            enter, leave = False, False
        if enter and not held:
            cash, held = cash - UNITS * opens[place] * (1 + FEE), UNITS
        elif leave and held:
            cash, held = cash + UNITS * opens[place] * (1 - FEE), 0
    return cash + held * close[-1]


def test_the_bars_are_those_of_a_year_of_a_us_exchange(spy: Bars) -> None:
    assert (len(spy), spy.timeframe, spy.periods_per_year) == (251, "1d", 252.0)
    assert (str(spy.start)[:10], str(spy.end)[:10]) == ("2006-01-03", "2006-12-29")
    assert spy.quality().ok


@pytest.mark.parametrize("rule", FIGURES)
@pytest.mark.parametrize("engine", ["fast", "backtrader"])
def test_known_answers(spy: Bars, rule: str, engine: Any) -> None:
    if engine == "backtrader":
        library("backtrader", "legacy")
    final, vwr, sharpe = FIGURES[rule]
    assert by_hand(spy, rule) == pytest.approx(final, abs=1e-6)
    costs, sizing = ms.Costs(FEE, 0.0), ms.Sizing.units(UNITS)
    result = ms.backtest(spy, signals(spy, rule), engine=engine, costs=costs, sizing=sizing, cash=CASH)
    assert result.metrics["final_equity"] == pytest.approx(final, abs=1e-6)
    assert result.metrics["vwr"] == pytest.approx(vwr, abs=5e-10)
    assert metrics.sharpe_ratio_daily_rf(result.returns) == pytest.approx(sharpe, abs=5e-10)
    if engine == "backtrader":
        assert result.native["VWR"]["vwr"] == pytest.approx(vwr, abs=5e-10)
