"""The result of 2020: equal to what backtrader's own analyzers say of the same run, plain JSON, from every engine."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.bars import Bars
from tests.engine.libraries import library

library("backtrader", "legacy")
library("vectorbt", "vectorbt")
BARS = ms.load_sample("AAPL")[:700]


def same(theirs: Any, ours: Any, path: str = "") -> None:
    """Equal names, and every number equal to 1e-8, or to the rounding of the cash."""
    if hasattr(theirs, "items"):
        named = {key.isoformat() if hasattr(key, "isoformat") else str(key): value for key, value in theirs.items()}
        assert set(named) == set(ours), path
        for key, value in named.items():
            same(value, ours[key], f"{path}/{key}")
    elif isinstance(theirs, (list, tuple)):
        assert len(theirs) == len(ours), path
        for k, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            same(a, b, f"{path}[{k}]")
    elif isinstance(theirs, (int, float)):
        if theirs == sys.maxsize or (isinstance(theirs, float) and math.isnan(theirs)):
            assert ours is None, path
        else:
            assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-4), path
    else:
        assert theirs == ours, path


@pytest.mark.parametrize("name", ["MACDStrategy", "TrendFollowingATR", "FernandoStrategy", "MACDStrategyX"])
def test_the_first_schema_equals_the_analyzers_of_backtrader(name: str) -> None:
    theirs = ms.backtest(BARS, name, engine="backtrader")
    fast = ms.backtest(BARS, name).to_v1()
    assert fast["analyzers"].keys() == theirs.native.keys()
    same(theirs.native, fast["analyzers"])
    same(theirs.native, theirs.to_v1()["analyzers"])


def test_lots_that_backtrader_cannot_tell_apart() -> None:
    """Its TradeAnalyzer takes profits from the mean price of all lots, and loses trades that last less than a bar."""
    theirs = ms.backtest(BARS, "GridTradingStrategy", engine="backtrader")
    fast, other = ms.backtest(BARS, "GridTradingStrategy").to_v1()["analyzers"], theirs.to_v1()["analyzers"]
    assert theirs.native["TradeAnalyzer"]["total"]["open"] < 0
    same(other["TradeAnalyzer"], fast["TradeAnalyzer"])
    same(theirs.native["VWR"], fast["VWR"])
    for name in ("returns", "positions", "gross_lev"):  # the price of a bar's transactions hangs on the order of fills
        same(theirs.native["PyFolio"][name], fast["PyFolio"][name])
    same(theirs.native["PyFolio"]["transactions"], other["PyFolio"]["transactions"])


def test_hours_of_a_day_are_one_return() -> None:
    bars = ms.synthetic_bars(500, seed=3)
    theirs = ms.backtest(bars, "MACDStrategy", engine="backtrader")
    document = ms.backtest(bars, "MACDStrategy").to_v1()
    same(theirs.native, document["analyzers"])
    pyfolio = document["analyzers"]["PyFolio"]
    assert len(pyfolio["returns"]) == 21
    assert len(pyfolio["positions"]) == 501  # with the line of headings
    product = np.prod([1 + r for r in pyfolio["returns"].values()])
    assert product == pytest.approx(document["value"] / document["cash"])


@pytest.mark.parametrize("engine", ["fast", "vectorbt", "backtrader"])
def test_from_every_engine_as_json(engine: str) -> None:
    result = ms.backtest(BARS, "RSIStrategy", params={"period": 7}, engine=engine)
    document = json.loads(json.dumps(result.to_v1(), allow_nan=False))
    assert document["engine"] == engine
    assert document["strategy"] == "RSIStrategy"
    assert document["parameters"] == {"period": 7, "oversold": 30, "overbought": 70}
    assert document["symbol"] == "AAPL"
    assert document["start"] == 951_868_800_000  # 2000-03-01, ms
    assert document["end"] == int(BARS.time[-1]) // 1000
    assert 0 < document["processing_time"] < 600
    marks = document["observers"]["BuySell"]
    bought = result.orders.filter(side="buy")
    assert marks["buy"] == [[round(t.timestamp() * 1000), p] for t, p in bought.select("timestamp", "price").rows()]
    assert len(marks["buy"]) + len(marks["sell"]) == len(result.orders) > 3
    assert document["analyzers"]["VWR"]["vwr"] == pytest.approx(result.metrics["vwr"])


def test_what_is_not_a_number_is_null() -> None:
    ruined = ms.backtest(
        ms.load_sample("AAPL")[:1_200], ms.strategy("RSIStrategy").signals(ms.load_sample("AAPL")[:1_200])
    )
    assert ruined.metrics["ruined"]
    document = json.loads(json.dumps(ruined.to_v1(), allow_nan=False))
    assert document["analyzers"]["VWR"]["vwr"] is None
    assert document["strategy"] == "signals"


def window(begin: int) -> tuple[Bars, ms.Signals]:
    entry = np.zeros(50, bool)
    entry[begin] = True
    return BARS[:50], ms.Signals(entry)


@pytest.mark.parametrize(("begin", "total"), [(49, {"total": 0}), (10, {"total": 1, "open": 1})])
def test_without_a_closed_trade_there_are_only_totals(begin: int, total: dict[str, int]) -> None:
    bars, signals = window(begin)
    theirs = ms.backtest(bars, signals, engine="backtrader")
    assert ms.backtest(bars, signals).to_v1()["analyzers"]["TradeAnalyzer"] == {"total": total}
    same(theirs.native["TradeAnalyzer"], {"total": total})
