"""Limits of a portfolio with answers by hand: gross exposure, number of sleeves, liquidation of margined sleeves."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from maestro.typing import FloatArray
from maestro.walkforward.portfolio.account import run_account
from maestro.walkforward.portfolio.sleeves import Sleeves, liquidation

FREE = ms.Costs(fee=0.0, slippage=0.0)


class Short(ms.Strategy):
    """Always short."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        return ms.Signals(short_entry=np.ones(len(bars), np.bool_))


class Long(ms.Strategy):
    """Always long."""

    fast = ms.Int(5, 2, 9)

    def signals(self, bars: Any) -> Any:
        return ms.Signals(long_entry=np.ones(len(bars), np.bool_))


def bars(close: FloatArray, high: FloatArray | None = None, opens: FloatArray | None = None) -> ms.Bars:
    opens = close if opens is None else opens
    high = np.maximum(close, opens) if high is None else high
    start = pl.datetime(2020, 1, 1)
    frame = pl.DataFrame(
        {"timestamp": pl.datetime_range(start, start + pl.duration(days=len(close) - 1), "1d", eager=True),
         "open": opens, "high": high, "low": np.minimum(close, opens), "close": close, "volume": np.ones(len(close))}
    )  # fmt: skip
    return ms.Bars.from_frame(frame, symbol="UP")


def course(n: int = 200) -> FloatArray:
    return 100.0 * (1.0 + 0.001 * np.sin(np.arange(n)))


def run(series: ms.Bars, rule: type[ms.Strategy] = Short) -> ms.WalkForward:
    return ms.walk_forward(series, rule, splitter="rolling:1,1,1", trials=1, executor="serial", costs=FREE,
                           accept_defects=True, sizing="percent:1.0")  # fmt: skip


def test_a_short_sleeve_is_liquidated_within_a_bar() -> None:
    close = course()
    high = close * 1.0001
    calm = run(bars(close, high))
    entry = calm.trades["entry_price"][0]
    first = int(np.searchsorted(calm.bars.time, int(calm.equity["timestamp"].to_physical()[0])))  # type: ignore[union-attr]
    at = first + 20
    edge = 2 * entry / 1.05  # capital of one entry price, one unit short: 2 e - p = 0.05 p
    for factor, liquidated in ((0.9999, False), (1.0001, True)):
        spiked = high.copy()
        spiked[at] = edge * factor
        wf = run(bars(close, spiked))
        found = liquidation("s", wf, 0.05)
        assert (found is not None) == liquidated
        p = ms.portfolio({"s": wf}, maintenance=0.05)
        row = p.equity.with_row_index().filter(pl.col("timestamp") == pl.Series(wf.bars.time).cast(  # type: ignore[union-attr]
            pl.Datetime("us", "UTC"))[at])["index"][0]  # fmt: skip
        if liquidated:
            assert found is not None
            assert (found.row, found.left) == (row, 0.0)
            assert p.equity["equity"][row - 1] > 90_000
            assert (p.equity["equity"][row:] == 0).all()
            assert "s lost all of its capital in a liquidation on" in p.notes[0]
            assert "maintenance margin 5.0%" in p.notes[0]
            assert "1 LIQUIDATED" in repr(p)
            assert [one.title for one in p.verdict.warnings if "ruined" in one.title] == ["1 sleeve ruined"]
            assert "liquidation on" in p._repr_html_()
        else:
            assert p.equity["equity"][-1] == pytest.approx(wf.equity["equity"][-1])
            assert "LIQUIDATED" not in repr(p)


def test_a_gap_beyond_the_margin_leaves_a_debt_and_the_close_alone_does_not_help() -> None:
    close = course()
    at = 150
    opens, high = close.copy(), close.copy()
    opens[at] = high[at] = 300.0  # back at 100 at the close: without a margin nothing is lost
    series = bars(close, np.maximum(high, opens), opens)
    wf, calm = run(series), run(bars(course()))
    plain = ms.portfolio({"bad": wf, "good": calm}, rebalance="never")
    assert plain.equity["equity"][-1] > 99_000
    runs: dict[str, Any] = {"bad": wf, "good": calm}
    isolated = ms.portfolio(runs, rebalance="never", maintenance={"bad": 0.05})
    shared = ms.portfolio(runs, rebalance="never", maintenance={"bad": 0.05}, debt="shared")
    assert len(wf.trades) == 1
    debt = (300.0 / wf.trades["entry_price"][0] - 2) * 50_000  # half of the capital is in the sleeve
    assert isolated.equity["equity"][-1] == pytest.approx(calm.equity["equity"][-1] / 2)
    assert isolated.equity["equity"][-1] - shared.equity["equity"][-1] == pytest.approx(debt)
    assert "is left out" in isolated.notes[0]
    assert "the others pay its debt" in shared.notes[0]
    for p in (isolated, shared):
        assert p.contributions["profit"].sum() == pytest.approx(p.equity["equity"][-1] - 100_000, abs=1e-4)


def test_an_unlevered_long_is_never_liquidated() -> None:
    close = np.where(np.arange(200) < 150, course(), 1.0)
    assert liquidation("l", run(bars(close), Long), 0.05) is None


def test_gross_exposure_is_cut_before_the_next_bar() -> None:
    """One sleeve, long twice its capital, limit 1.5: by hand."""
    value = np.array([[1.0], [1.2], [1.1], [1.32]])
    exposure = np.array([[2.0], [2.0], [2.0], [2.0]])
    sleeves = Sleeves(
        ("s",), np.arange(4) * 86_400_000_000, value, exposure, np.ones((4, 1)), np.ones((4, 1), np.bool_),
        (np.zeros(1, np.int64),), np.array([0.01]), {}, {},
    )  # fmt: skip
    free = run_account(sleeves, [0], lambda row: np.ones(1), 100.0)
    np.testing.assert_allclose(free.equity, [100, 120, 110, 132])
    own = run_account(sleeves, [0], lambda row: np.ones(1), 100.0, 1.5)
    # Close 0: 200 of 100 are above 1.5; a quarter leaves, at 1 % of a notional of 50: 75 in the sleeve, 24.5 in cash.
    # Bar 1: 75 * 1.2 = 90, equity 114.5, gross 180 > 171.75: cut to 85.875, costs 1 % of 8.25.
    first = 24.5 + 90
    second_cash = first - 85.875 - 0.0825
    second = second_cash + 85.875 * 1.1 / 1.2
    assert own.cuts[:2] == [1, 2]
    np.testing.assert_allclose(own.equity[:3], [100, first, second])
    np.testing.assert_allclose(own.profit.sum(axis=1), np.diff(np.concatenate(([100.0], own.equity))))
    gross = (own.capital * exposure).sum(axis=1) / own.equity
    assert gross[0] == 2.0
    assert own.costs[0] > 0.5


def test_a_limit_that_is_never_reached_changes_nothing_and_a_low_one_is_noted() -> None:
    u = {name: ms.synthetic_bars(700, k, "1d") for k, name in enumerate("ABCD")}
    many = ms.walk_forward_many(u, "EmaCrossStrategy", splitter="calendar:6mo,2mo", trials=3, executor="serial",
                                space={"fast": (2, 6), "slow": (7, 20)})  # fmt: skip
    free = many.portfolio()
    same = many.portfolio(max_gross=5.0)
    assert same.equity.equals(free.equity)
    low = many.portfolio(max_gross=0.4)
    assert any("The gross exposure was above 0.4" in note for note in low.notes)
    account, sleeves = low._account, low._sleeves
    gross = (account.capital * np.abs(sleeves.exposure)).sum(axis=1) / account.equity
    after = gross[np.array(account.cuts)]
    assert (np.median(after) <= 0.45) & (gross.max() > 0.4)
    assert low.contributions["profit"].sum() == pytest.approx(low.equity["equity"][-1] - 100_000, abs=1e-4)
    runs = {cell.symbol: wf for cell, wf in many.items()}
    turned = ms.portfolio({name: runs[name] for name in "DBCA"}, max_gross=0.4, max_sleeves=2)
    assert turned.equity.equals(ms.portfolio(runs, max_gross=0.4, max_sleeves=2).equity)


def test_at_most_so_many_sleeves_by_the_sharpe_ratio_in_sample() -> None:
    u = {name: ms.synthetic_bars(700, k, "1d") for k, name in enumerate("ABCD")}
    many = ms.walk_forward_many(u, "EmaCrossStrategy", splitter="calendar:6mo,2mo", trials=3, executor="serial",
                                space={"fast": (2, 6), "slow": (7, 20)})  # fmt: skip
    for rule in ("equal", "inverse_volatility"):
        p = many.portfolio(weights=rule, max_sleeves=2)
        for (stamp,), rows in p.weights.group_by("timestamp"):
            chosen = set(rows.filter(pl.col("weight") > 0)["sleeve"])
            sharpe = {
                cell.symbol: wf.folds.filter(pl.col("test_start") == stamp)["is_sharpe_ratio"][0]
                for cell, wf in many.items()
            }
            assert chosen == set(sorted(sharpe, key=lambda name: -sharpe[name])[:2])
        assert p.settings["max_sleeves"] == 2


def test_bad_limits_are_refused() -> None:
    wf = run(bars(course()))
    loaded = ms.WalkForward(wf.manifest, {n: getattr(wf, n) for n in ("folds", "trials", "equity", "trades")})
    for given, message in (
        ({"max_gross": 0}, "max_gross=0"),
        ({"max_sleeves": 1.5}, r"max_sleeves=1\.5"),
        ({"maintenance": 1.0}, r"maintenance=1\.0 of s"),
        ({"maintenance": {"x": 0.05}}, "'x', which is not a sleeve"),
    ):
        with pytest.raises(SettingsError, match=message):
            ms.portfolio({"s": wf}, **given)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="s was loaded without its bars, whose highs and lows"):
        ms.portfolio({"s": loaded}, maintenance=0.05)
