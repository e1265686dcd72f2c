"""Our figures beside those of QuantStats, vectorbt and backtrader's analyzers on the same returns; the page of them."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import maestro as ms
from maestro import metrics as m
from maestro.bars import Bars
from tests.engine.libraries import library
from tests.support.real_data import real_path

bt_library: Any = library("backtrader", "legacy")
vbt: Any = library("vectorbt", "vectorbt")
DAYS = 252
PAGE = Path(__file__).parents[2] / "docs" / "metrics-compared.md"


@pytest.fixture(scope="module")
def result() -> ms.Backtest:
    return ms.backtest(ms.load_sample("AAPL"), "IchimokuStrategy")


def series(result: ms.Backtest) -> pd.Series[float]:
    return pd.Series(result.returns, index=pd.DatetimeIndex(result.bars.timestamp))


@pytest.fixture(scope="module")
def quantstats(result: ms.Backtest) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats: Any = library("quantstats", "report").stats
        r = series(result)
        return {
            "sharpe_ratio": stats.sharpe(r, periods=DAYS), "sortino_ratio": stats.sortino(r, periods=DAYS),
            "calmar_ratio": stats.calmar(r, periods=DAYS), "annual_return": stats.cagr(r, periods=DAYS),
            "total_return": stats.comp(r), "volatility": stats.volatility(r, periods=DAYS),
            "max_drawdown": stats.max_drawdown(r), "win_rate": stats.win_rate(r),
            "profit_factor": stats.profit_factor(r), "exposure": stats.exposure(r),
        }  # fmt: skip


@pytest.fixture(scope="module")
def vectorbt(result: ms.Backtest) -> dict[str, float]:
    pf: Any = result.to_vectorbt()
    year = f"{DAYS} days"
    return {
        "sharpe_ratio": pf.sharpe_ratio(year_freq=year), "sortino_ratio": pf.sortino_ratio(year_freq=year),
        "calmar_ratio": pf.calmar_ratio(year_freq=year), "annual_return": pf.annualized_return(year_freq=year),
        "total_return": pf.total_return(), "volatility": pf.annualized_volatility(year_freq=year),
        "max_drawdown": pf.max_drawdown(), "win_rate": pf.trades.closed.win_rate(),
        "profit_factor": pf.trades.closed.profit_factor(), "num_trades": float(pf.trades.closed.count()),
    }  # fmt: skip


@pytest.fixture(scope="module")
def analyzers(result: ms.Backtest) -> dict[str, float]:
    """What backtrader's analyzers say of backtrader's run of the same rule."""
    from maestro.engine.backtrader.running import RULES, Broker, Feed
    from maestro.engine.backtrader.trading import Diary

    bt = bt_library
    rule = result.strategy
    assert rule is not None
    days = {"timeframe": bt.TimeFrame.Days, "compression": 1}
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.broker = Broker()
    cerebro.broker.setcash(result.cash)
    cerebro.broker.setcommission(commission=result.costs.fee)
    cerebro.broker.set_checksubmit(False)
    cerebro.broker.set_slippage_perc(result.costs.slippage, slip_out=True)
    cerebro.adddata(Feed(bars=result.bars, **days))
    cerebro.addstrategy(
        RULES[rule.name], rule=rule.params, costs=result.costs, sizing=result.sizing, periods_per_year=DAYS,
        diary=Diary(),
    )  # fmt: skip
    cerebro.addanalyzer(bt.analyzers.SharpeRatio_A, _name="sharpe", **days)
    cerebro.addanalyzer(bt.analyzers.VWR, _name="vwr", tann=DAYS, **days)
    cerebro.addanalyzer(bt.analyzers.DrawDown, _name="drawdown")
    cerebro.addanalyzer(bt.analyzers.Returns, _name="returns", tann=DAYS, **days)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="trades")
    done = cerebro.run()[0].analyzers
    trades, returns = done.trades.get_analysis(), done.returns.get_analysis()
    return {
        "sharpe_ratio": done.sharpe.get_analysis()["sharperatio"], "vwr": done.vwr.get_analysis()["vwr"],
        "max_drawdown": -done.drawdown.get_analysis()["max"]["drawdown"] / 100,
        "annual_return": returns["rnorm"], "total_return": math.expm1(returns["rtot"]),
        "win_rate": trades["won"]["total"] / trades["total"]["closed"],
        "num_trades": float(trades["total"]["closed"]),
    }  # fmt: skip


SAME_IN_QUANTSTATS = (
    "sharpe_ratio", "sortino_ratio", "calmar_ratio", "annual_return", "total_return", "volatility", "max_drawdown",
)  # fmt: skip
SAME_IN_VECTORBT = (*SAME_IN_QUANTSTATS, "win_rate", "profit_factor", "num_trades")
SAME_IN_BACKTRADER = ("vwr", "max_drawdown", "annual_return", "total_return", "win_rate", "num_trades")


@pytest.mark.parametrize("name", SAME_IN_QUANTSTATS)
def test_the_same_in_quantstats(name: str, result: ms.Backtest, quantstats: dict[str, float]) -> None:
    assert quantstats[name] == pytest.approx(result.metrics[name], rel=1e-9)


@pytest.mark.parametrize("name", SAME_IN_VECTORBT)
def test_the_same_in_vectorbt(name: str, result: ms.Backtest, vectorbt: dict[str, float]) -> None:
    assert vectorbt[name] == pytest.approx(result.metrics[name], rel=1e-9)


@pytest.mark.parametrize("name", SAME_IN_BACKTRADER)
def test_the_same_in_backtrader(name: str, result: ms.Backtest, analyzers: dict[str, float]) -> None:
    assert analyzers[name] == pytest.approx(result.metrics[name], rel=1e-9)


def test_what_differs_in_quantstats_and_why(result: ms.Backtest, quantstats: dict[str, float]) -> None:
    """Its win rate, profit factor and exposure are of bars; ours are of trades, and of positions."""
    r = result.returns
    assert quantstats["win_rate"] == pytest.approx((r > 0).sum() / (r != 0).sum(), rel=1e-12)
    assert quantstats["profit_factor"] == pytest.approx(r[r > 0].sum() / -r[r < 0].sum(), rel=1e-12)
    assert quantstats["exposure"] == math.ceil(100 * (r != 0).mean()) / 100
    for name in ("win_rate", "profit_factor", "exposure"):
        assert abs(quantstats[name] / result.metrics[name] - 1) > 1e-3, name
    trades = result.trades.filter(pl.col("exit_reason") != "open")
    assert result.metrics["win_rate"] == (trades["pnl"] > 0).mean()
    assert result.metrics["exposure"] == pytest.approx((result.equity["position"] != 0).mean())


def test_quantstats_assumes_252_days_by_default(result: ms.Backtest) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats: Any = library("quantstats", "report").stats
        hours = ms.backtest(ms.synthetic_bars(2_000, seed=1), "MACDStrategy")
        by_default, given = stats.sharpe(series(hours)), stats.sharpe(series(hours), periods=8_760)
    assert given == pytest.approx(hours.metrics["sharpe_ratio"], rel=1e-9)
    assert by_default == pytest.approx(given * math.sqrt(252 / 8_760), rel=1e-9)


def test_backtraders_sharpe_ratio_has_a_risk_free_rate(result: ms.Backtest, analyzers: dict[str, float]) -> None:
    assert m.sharpe_ratio_daily_rf(result.returns) == pytest.approx(analyzers["sharpe_ratio"], rel=1e-9)
    assert analyzers["sharpe_ratio"] < result.metrics["sharpe_ratio"]


def test_vectorbts_drawdown_begins_a_bar_later() -> None:
    """Its first peak is the first bar's value, ours the starting cash: a loss in the first bar shows."""
    close = np.array([100.0, 90.0, 95.0, 96.0, 97.0])
    frame = pl.DataFrame(
        {
            "timestamp": np.arange(5).astype("datetime64[D]").astype("datetime64[us]"), "open": np.full(5, 100.0),
            "high": np.full(5, 100.0), "low": np.full(5, 90.0), "close": close, "volume": np.ones(5),
        }
    )  # fmt: skip
    bars = Bars.from_frame(frame, timeframe="1d")
    entry = np.array([True, False, False, False, False])
    result = ms.backtest(bars, ms.Signals(entry), fill="close", costs=ms.Costs(fee=0.01, slippage=0.0))
    pf: Any = result.to_vectorbt()
    assert result.metrics["max_drawdown"] == pytest.approx(0.9 / 1.01 - 1)
    assert pf.max_drawdown() == pytest.approx(0.9 - 1)


@pytest.mark.parametrize(
    ("rule", "figures"),
    [("hold", (5.826409086, 0.872947800)), ("cross", (1.253477283, 0.153365458))],
)
def test_the_known_series_in_backtrader_itself(rule: str, figures: tuple[float, float]) -> None:
    """EURO STOXX 50, 2006: the known answers of VWR and SharpeRatio_A, from backtrader as it runs here."""
    bars = Bars.from_frame(pl.read_csv(real_path("backtrader_2006-day-001.txt")), timeframe="1d", periods_per_year=DAYS)
    signals = ms.Signals(np.arange(len(bars)) == 0)
    if rule == "cross":
        fast, slow = ms.indicators.sma(bars.close, 10), ms.indicators.sma(bars.close, 30)
        apart = np.append(np.nan, fast[:-1] - slow[:-1])
        signals = ms.Signals((fast > slow) & (apart <= 0), (fast < slow) & (apart >= 0))
    theirs = ms.backtest(
        bars, signals, engine="backtrader", costs=ms.Costs(0.001, 0.0), sizing="units:10", cash=50_000.0
    )
    assert theirs.native["VWR"]["vwr"] == pytest.approx(figures[0], abs=5e-10)
    assert theirs.metrics["vwr"] == pytest.approx(figures[0], abs=5e-10)
    assert m.sharpe_ratio_daily_rf(theirs.returns) == pytest.approx(figures[1], abs=5e-10)


def test_the_page_shows_these_figures(
    result: ms.Backtest, quantstats: dict[str, float], vectorbt: dict[str, float], analyzers: dict[str, float]
) -> None:
    text = PAGE.read_text("utf-8")
    shown = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|", text, re.M)
    assert len(shown) == 12
    for name, *cells in shown:
        for cell, figures in zip(cells, (result.metrics, quantstats, vectorbt, analyzers), strict=True):
            expected = "–" if name not in figures else f"{figures[name]:.6f}".replace("-", "−")
            assert cell == expected, name
