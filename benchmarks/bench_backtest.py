"""One backtest of 8,760 bars, signals and all metrics included, beside vectorbt, backtesting.py and backtrader."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np

import maestro as ms

COSTS = ms.Costs(fee=0.001, slippage=0.0005)
N = 8_760


def best_and_median(work: Callable[[], object], *, runs: int = 9, seconds: float = 0.4) -> tuple[float, float]:
    """Smallest and median time of a call [s] over `runs` rounds, each long enough to be measured."""
    work()
    started = time.perf_counter()
    work()
    repeat = max(1, int(seconds / runs / max(time.perf_counter() - started, 1e-7)))
    rounds = []
    for _ in range(runs):
        started = time.perf_counter()
        for _ in range(repeat):
            work()
        rounds.append((time.perf_counter() - started) / repeat)
    return min(rounds), sorted(rounds)[runs // 2]


def ours(bars: ms.Bars) -> dict[str, Callable[[], object]]:
    """The API as a person calls it; metrics are read, so nothing is left lazy but the frames."""
    names = ("sharpe_ratio", "vwr", "max_drawdown", "num_trades")

    def run(**levels: float) -> Callable[[], object]:
        if not levels:
            return lambda: [
                ms.backtest(bars, "EmaCrossStrategy", params={"fast": 20, "slow": 60}, costs=COSTS).metrics[k]
                for k in names[:1]
            ]

        class Protected(ms.Strategy):
            fast = ms.Int(20, 5, 100)
            slow = ms.Int(60, 20, 200)

            def signals(self, bars: ms.Bars) -> ms.Signals:
                plain = cross.signals(bars)
                return ms.Signals.flip(plain.long_entry, plain.long_exit, **levels)

        cross = ms.strategy("EmaCrossStrategy", fast=20, slow=60)
        return lambda: ms.backtest(bars, Protected, costs=COSTS).metrics["sharpe_ratio"]

    signals = ms.strategy("EmaCrossStrategy", fast=20, slow=60).signals(bars)
    constant = {"stop": 0.05, "target": 0.10, "trail": 0.08}
    return {
        "maestro": run(),
        "maestro, stop, target and trail": run(**constant),
        "maestro, signals given": lambda: ms.backtest(bars, signals, costs=COSTS).metrics["sharpe_ratio"],
        "maestro, with equity, trades, orders": lambda: _frames(ms.backtest(bars, signals, costs=COSTS)),
    }


def _frames(bt: ms.Backtest) -> object:
    return bt.equity, bt.trades, bt.orders


def peers(bars: ms.Bars) -> dict[str, Callable[[], object]]:
    """The same rule and costs elsewhere; each reads the metrics that it shares with ours."""
    import backtrader
    import pandas as pd
    import vectorbt as vbt
    from backtesting import Backtest, Strategy

    signals = ms.strategy("EmaCrossStrategy", fast=20, slow=60).signals(bars)
    up, down = (np.concatenate(([False], f[:-1])) for f in (signals.long_entry, signals.long_exit))
    index = pd.DatetimeIndex(bars.timestamp)
    opens, close = np.array(bars.open), pd.Series(np.array(bars.close), index=index)
    frame = pd.DataFrame(
        {"Open": opens, "High": bars.high, "Low": bars.low, "Close": bars.close, "Volume": bars.volume}, index=index
    )

    def vectorbt() -> object:
        pf = vbt.Portfolio.from_signals(
            close, up, down, down, up, price=opens, size=1.0, fees=COSTS.fee, slippage=COSTS.slippage,
            init_cash=100_000.0, freq="1h", upon_opposite_entry="reverse", upon_long_conflict="exit",
            upon_short_conflict="exit", upon_dir_conflict="ignore", accumulate=False,
        )  # fmt: skip
        return (
            pf.sharpe_ratio(), pf.sortino_ratio(), pf.calmar_ratio(), pf.total_return(), pf.annualized_return(),
            pf.annualized_volatility(), pf.max_drawdown(), pf.trades.win_rate(), pf.trades.profit_factor(),
            pf.trades.count(),
        )  # fmt: skip

    class Cross(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.up = self.I(lambda: up.astype(float), plot=False)
            self.down = self.I(lambda: down.astype(float), plot=False)

        def next(self) -> None:
            if self.up[-1]:
                self.position.close()
                self.buy()
            elif self.down[-1]:
                self.position.close()
                self.sell()

    def backtesting_py() -> object:
        return Backtest(
            frame, Cross, cash=1e8, commission=COSTS.fee, spread=COSTS.slippage, exclusive_orders=False,
            finalize_trades=True,
        ).run()  # fmt: skip

    class EmaCross(backtrader.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            ema = backtrader.indicators.ExponentialMovingAverage
            self.cross = backtrader.indicators.CrossOver(ema(period=20), ema(period=60))

        def next(self) -> None:
            if self.cross[0]:
                self.order_target_size(target=1.0 if self.cross[0] > 0 else -1.0)

    def backtrader_() -> object:
        cerebro = backtrader.Cerebro()
        cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
        cerebro.addstrategy(EmaCross)
        cerebro.broker.setcash(1e6)
        cerebro.broker.setcommission(COSTS.fee)
        cerebro.addanalyzer(backtrader.analyzers.SharpeRatio_A)
        cerebro.addanalyzer(backtrader.analyzers.DrawDown)
        cerebro.addanalyzer(backtrader.analyzers.VWR)
        return cerebro.run()

    return {"vectorbt from_signals, ten metrics": vectorbt, "backtesting.py": backtesting_py, "backtrader": backtrader_}


def main() -> None:
    """Print the table; the peers' signals are given to them for nothing, except backtrader's."""
    bars = ms.synthetic_bars(N, seed=1)
    rows = {name: best_and_median(work) for name, work in ours(bars).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, work in peers(bars).items():
            rows[name] = best_and_median(work, runs=3 if name == "backtrader" else 7)
    base = rows["maestro"][0]
    print(f"One backtest, {N:,} synthetic bars, EMA 20/60 cross, long and short")
    print(f"{'':40}{'best':>12}{'median':>12}{'x maestro':>12}")
    for name, (best, median) in rows.items():
        print(f"{name:40}{best * 1e3:>9.3f} ms{median * 1e3:>9.3f} ms{best / base:>12.1f}")


if __name__ == "__main__":
    main()
