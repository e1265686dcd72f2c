"""One run in backtrader: bars as a feed, a broker with our costs, a strategy, its diary and its analyzers."""

from __future__ import annotations

import math
from typing import Any

import backtrader as bt
import numpy as np

from maestro.bars import Bars
from maestro.data.timeframes import DAY_US, timeframe_us
from maestro.engine.backtrader import classic, derivatives, fernando, grid, scalping
from maestro.engine.backtrader.given import Given
from maestro.engine.backtrader.trading import Diary, Trading
from maestro.engine.costs import Costs
from maestro.engine.sizing import Sizing
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals

RULES: dict[str, type[Trading]] = {
    "EmaCrossStrategy": classic.EmaCross,
    "MaCrossStrategy": classic.MaCross,
    "RSIStrategy": classic.RelativeStrength,
    "MACDStrategy": classic.MacdCross,
    "MACDStrategyX": classic.MacdTrailed,
    "BollingerBandsStrategy": classic.BollingerCross,
    "ChannelStrategy": classic.Channel,
    "IchimokuStrategy": classic.Ichimoku,
    "FernandoStrategy": fernando.Fernando,
    "VWAPStrategy": scalping.VwapBands,
    "ScalpRSIStrategy": scalping.ScalpRsi,
    "MomentumBreakoutStrategy": scalping.MomentumBreakout,
    "StochRSIStrategy": scalping.StochRsi,
    "EMARibbonStrategy": scalping.EmaRibbon,
    "FundingRateArbitrage": derivatives.Funding,
    "BasisTradingStrategy": derivatives.Basis,
    "OpenInterestDivergence": derivatives.OpenInterest,
    "LiquidationHuntStrategy": derivatives.Liquidation,
    "GridTradingStrategy": grid.Grid,
    "VolatilityBreakoutStrategy": derivatives.VolatilityBreakout,
    "TrendFollowingATR": derivatives.TrendAtr,
    "MeanReversionBands": derivatives.MeanReversion,
}
"""The backtrader strategy of each built-in one."""

_EXTRA = ("funding_rate", "funding_count", "open_interest", "basis")
_COLUMNS = ("open", "high", "low", "close", "volume", *_EXTRA)


class Feed(bt.feed.DataBase):  # type: ignore[misc]
    """Bars as backtrader reads them, the optional series as further lines."""

    lines: Any = _EXTRA
    params: Any = (("bars", None),)

    def start(self) -> None:
        super().start()
        bars = self.p.bars
        self.at = 0
        days = bars.time / DAY_US + 719_163.0  # backtrader counts days from the year 1
        missing = np.full(len(bars), math.nan)
        columns = [getattr(bars, name) for name in _COLUMNS]
        self.rows = list(zip(days.tolist(), *((missing if c is None else c).tolist() for c in columns), strict=True))

    def _load(self) -> bool:
        if self.at == len(self.rows):
            return False
        row = self.rows[self.at]
        self.lines.datetime[0] = row[0]
        for name, value in zip(_COLUMNS, row[1:], strict=True):
            getattr(self.lines, name)[0] = value
        self.at += 1
        return True


class Broker(bt.brokers.BackBroker):  # type: ignore[misc]
    """backtrader's broker, whose limit orders do not slip: with `slip_open` it would slip those that gap."""

    def _try_exec_limit(self, *arguments: Any) -> None:
        slip, self.p.slip_perc = self.p.slip_perc, 0.0
        try:
            super()._try_exec_limit(*arguments)
        finally:
            self.p.slip_perc = slip


class Vwr(bt.analyzers.VWR):  # type: ignore[misc]
    """backtrader's VWR, undefined after a ruin, where its own divides by the value before.

    backtrader has no public access to the values that it collects for it.
    """

    def stop(self) -> None:
        if any(value is not None and value <= 0 for value in self._pns):
            self.rets["vwr"] = math.nan
        else:
            super().stop()


def run(
    bars: Bars,
    strategy: Strategy | None,
    signals: Signals,
    costs: Costs,
    sizing: Sizing,
    cash: float,
    plain: frozenset[str] = frozenset(),
) -> tuple[Diary, dict[str, Any]]:
    """Trade a built-in strategy by its rule, or without one the signals; the diary, and the analyzers' results.

    `plain` names what is left as backtrader does it by itself (`DEFAULT_SETTINGS`).
    """
    diary = Diary()
    cerebro = bt.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.broker = bt.brokers.BackBroker() if "limits" in plain else Broker()
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=costs.fee)
    cerebro.broker.set_checksubmit(False)  # the strategy sizes at the fill price, so the check is the execution's
    cerebro.broker.set_slippage_perc(
        costs.slippage, slip_open=True, slip_limit=True, slip_match=True, slip_out="slippage" not in plain
    )
    timeframe, compression = _timeframe(bars)
    cerebro.adddata(Feed(bars=bars, timeframe=timeframe, compression=compression), name=bars.symbol or "data")
    kwargs: dict[str, Any] = {
        "costs": costs, "sizing": sizing, "periods_per_year": bars.periods_per_year, "diary": diary, "plain": plain,
    }  # fmt: skip
    if strategy is not None:
        cerebro.addstrategy(RULES[strategy.name], rule=strategy.params, **kwargs)
    else:
        cerebro.addstrategy(Given, rule=signals, **kwargs)
    cerebro.addanalyzer(bt.analyzers.PyFolio, _name="PyFolio")
    cerebro.addanalyzer(Vwr, _name="VWR", timeframe=timeframe, compression=compression, tann=bars.periods_per_year)
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer, _name="TradeAnalyzer")
    done = cerebro.run()[0]
    names = ("PyFolio", "VWR", "TradeAnalyzer")
    return diary, {name: done.analyzers.getbyname(name).get_analysis() for name in names}


def _timeframe(bars: Bars) -> tuple[int, int]:
    """backtrader's timeframe and compression of the bars."""
    length = timeframe_us(bars.timeframe)
    if length % DAY_US == 0:
        return bt.TimeFrame.Days, length // DAY_US
    if length % 60_000_000 == 0:
        return bt.TimeFrame.Minutes, length // 60_000_000
    return bt.TimeFrame.Seconds, length // 1_000_000
