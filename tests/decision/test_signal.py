"""The signal at the last closed bar is the backtest's next fill, for every strategy, on random cuts."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.decision.now import now
from maestro.decision.signal import next_open, next_orders, signal
from maestro.engine.kernels import account as ac
from maestro.errors import SettingsError
from maestro.reproduce.plan import recorded_plan

CUTS = int(os.environ.get("MAESTRO_TEST_CUTS", "4"))


def full_market(n: int) -> ms.Bars:
    """Made-up hours that carry every series a strategy may need."""
    frame, rng = ms.synthetic_bars(n, seed=3).to_frame(), np.random.default_rng(0)
    return ms.Bars.from_frame(
        frame.with_columns(
            funding_rate=pl.when(pl.int_range(n) % 8 == 0).then(pl.Series(rng.normal(1e-4, 2e-4, n))),
            open_interest=pl.Series(1e6 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))),
            basis=pl.Series(rng.normal(0, 1e-3, n)),
        ),
        timeframe="1h", synthetic=True,
    )  # fmt: skip


BARS = full_market(1_500)


@pytest.mark.parametrize("name", ms.strategies())
def test_the_orders_are_what_the_backtest_fills_next(name: str) -> None:
    wf = ms.walk_forward(BARS[:700], name, trials=6, executor="serial", splitter="rolling:3,1", search="random")
    plan = recorded_plan(wf)
    rng = np.random.default_rng(len(name))
    params = plan.strategy().params
    begin, filled = 500, 0
    whole = ms.backtest(BARS, plan.strategy(**params), costs=plan.costs, window=(begin, len(BARS)))
    fills = np.unique(whole.books.orders[:, ac.ORDER_BAR].astype(int))
    fills = fills[(fills > begin + 1) & (fills < len(BARS))]
    cuts = [*rng.integers(begin + 1, len(BARS) - 1, CUTS), *rng.choice(fills, min(CUTS, len(fills)), replace=False)]
    for cut in sorted({int(one) for one in cuts}):
        position, equity, orders = next_orders(plan, BARS[:cut], dict(params), begin)
        through = BARS[: cut + 1]
        bt = ms.backtest(
            through, plan.strategy(**params), costs=plan.costs, sizing=plan.sizing, cash=plan.cash,
            window=(begin, cut + 1),
        )  # fmt: skip
        books = bt.books
        assert position == books.position[-2]
        assert equity == books.equity[-2]
        here = books.orders[books.orders[:, ac.ORDER_BAR] == cut]
        market = [one for one in orders if one.type == "market"]
        opened, slip = float(through.open[-1]), plan.costs.slippage
        at_open = {round(opened * (1 + slip), 9), round(opened * (1 - slip), 9)}
        sides = ["buy" if row[ac.ORDER_SIDE] > 0 else "sell" for row in here]
        filled += len(here)
        for one in market:
            assert one.side in sides, (name, cut, orders)
        for side, row in zip(sides, here, strict=True):
            price = float(row[ac.ORDER_PRICE])
            if any(one.side == side for one in market) and round(price, 9) in at_open:
                continue
            levels = [one for one in orders if one.price is not None and one.side == side]
            fits = [
                one for one in levels
                if abs(price / one.price - 1) < slip + 1e-9 or round(price, 9) in at_open or price == opened
            ]  # fmt: skip
            assert fits, (name, cut, side, price, orders)
    assert filled or not len(fills)


def test_the_signal_as_a_document() -> None:
    bars = ms.load_sample("AAPL")
    wf = ms.walk_forward(bars[:2_000], "EmaCrossStrategy", trials=10, executor="serial")
    chosen = now(wf)
    at_once = signal(wf, chosen=chosen)
    assert (at_once.position, at_once.equity, at_once.orders) == (0.0, 100_000.0, ())
    later = signal(wf, bars[:2_060], chosen)
    document = json.loads(json.dumps(later.to_dict(), allow_nan=False))
    assert document["params"] == chosen.params
    assert document["bar"].startswith(f"{bars[:2_060].end:%Y-%m-%d}")
    assert document["settings"]["costs"] == {"fee": 0.001, "slippage": 0.0005}
    low, middle, high = (document["expected"]["total_return"][key] for key in ("0.05", "0.5", "0.95"))
    assert low < middle < high
    assert document["expected"]["bars"] == 181
    assert signal(wf, bars[:2_060], chosen).to_dict() == later.to_dict()


def test_levels_of_stops_and_targets() -> None:
    class Held(ms.Strategy):
        n = ms.Int(3, 1, 9)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            entry = np.zeros(len(bars), bool)
            entry[5] = True
            return ms.Signals(entry, stop=0.05, target=0.2)

    bars = ms.synthetic_bars(400, seed=1)
    wf = ms.walk_forward(bars, Held, trials=2, executor="serial", splitter="rolling:3,1")
    plan = recorded_plan(wf)
    _, _, orders = next_orders(plan, bars[:7], {"n": 3}, 0)
    found = [(one.type, one.side, one.reason) for one in orders]
    assert found == [("stop", "sell", "stop"), ("target", "sell", "target")]
    entry = bars.open[6] * 1.0005
    assert orders[0].price == pytest.approx(entry * 0.95, rel=1e-9)
    assert orders[1].price == pytest.approx(entry * 1.2, rel=1e-9)
    _, _, first = next_orders(plan, bars[:6], {"n": 3}, 0)
    assert [(one.type, one.side) for one in first] == [("market", "buy"), ("stop", "sell"), ("target", "sell")]


def test_a_strategy_that_reads_a_second_symbol_has_a_signal() -> None:
    class Pair(ms.Strategy):
        n = ms.Int(10, 5, 20)

        def signals(self, bars: ms.Bars) -> ms.Signals:
            other = bars.other("IBM")
            theirs = other.at(other.close / ms.indicators.sma(other.close, self.n))
            own = bars.close / ms.indicators.sma(bars.close, self.n)
            return ms.Signals.flip(own > theirs, own < theirs)

    bars = ms.load_sample("AAPL").with_other(ms.load_sample("IBM"))
    wf = ms.walk_forward(bars[:1_000], Pair, trials=3, executor="serial")
    chosen = wf.now()
    later = wf.signal(bars[:1_040], chosen)
    bt = ms.backtest(bars[:1_041], Pair(**chosen.params), window=(1_000, 1_041))
    assert later.position == bt.books.position[-2]


def test_fills_at_the_close_cannot_be_traded() -> None:
    wf: Any = ms.walk_forward(ms.load_sample("IBM")[:600], "RSIStrategy", trials=3, fill="close", executor="serial")
    with pytest.raises(SettingsError, match="which cannot be traded"):
        signal(wf)


def test_the_next_bar_opens_when_the_market_does() -> None:
    days = ms.load_sample("AAPL")
    assert f"{next_open(days):%a %Y-%m-%d}" == "Mon 2013-03-04"  # the last bar is that of a Friday
    assert f"{next_open(days[:-1]):%a %Y-%m-%d}" == "Fri 2013-03-01"
    hours = ms.synthetic_bars(24 * 60, timeframe="1h", seed=1).to_frame()
    stamp = pl.col("timestamp")
    sessions = hours.filter((stamp.dt.weekday() <= 5) & stamp.dt.hour().is_between(14, 20))
    for until, opens in (("Fri 20", "Mon 14"), ("Tue 20", "Wed 14"), ("Tue 15", "Tue 16")):
        last = sessions.filter(stamp.dt.strftime("%a %H") == until)["timestamp"][-1]
        bars = ms.Bars.from_frame(sessions.filter(stamp <= last), timeframe="1h")
        assert f"{next_open(bars):%a %H}" == opens
    always = ms.Bars.from_frame(hours, timeframe="1h")
    assert next_open(always) == hours["timestamp"][-1] + timedelta(hours=1)
