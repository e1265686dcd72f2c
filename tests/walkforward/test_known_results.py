"""Positions opened and final equity of the strategies on three real series, to the cent, as computed independently.

Cash 100,000, all equity a position, fee 0.1 %, slippage 0.05 %, fills at the next open, default parameters.
"""

from __future__ import annotations

import pytest

import maestro as ms
from tests.strategies import markets

SERIES = {
    "BTCUSD": lambda: markets.bitfinex("BTCUSD"),
    "ETHUSD": lambda: markets.bitfinex("ETHUSD"),
    "BTCUSDT": lambda: markets.perpetual("BTCUSDT", "4h"),
}
KNOWN = {
    "EmaCrossStrategy": ((61, 152095.86), (64, 229038.02), (42, 69770.09)),
    "RSIStrategy": ((29, 22939.57), (33, 4771.92), (23, 111382.22)),
    "MACDStrategyX": ((34, 18116.71), (52, 13576.49), (17, 68858.47)),
    "IchimokuStrategy": ((189, 120094.76), (191, 271940.16), (125, 41958.26)),
    "FernandoStrategy": ((82, 101450.19), (71, 827012.66), (47, 104550.14)),
    "FundingRateArbitrage": (None, None, (5, 103808.48)),
    "GridTradingStrategy": ((696, 56140.78), (1055, 21544.62), (406, 92195.91)),
    "TrendFollowingATR": ((201, 69680.28), (207, 86910.48), (108, 74473.86)),
}


@pytest.mark.parametrize("symbol", SERIES)
@pytest.mark.parametrize("name", KNOWN)
def test_agrees_with_the_independent_reference_to_the_cent(name: str, symbol: str) -> None:
    known = KNOWN[name][list(SERIES).index(symbol)]
    bars = SERIES[symbol]()
    if known is None:
        with pytest.raises(ms.MaestroError, match="needs funding_rate"):
            ms.backtest(bars, name)
        return
    backtest = ms.backtest(bars, name, costs=ms.Costs(fee=0.001, slippage=0.0005), cash=100_000.0)
    assert (len(backtest.trades), round(backtest.metrics["final_equity"], 2)) == known
