"""Limits of a portfolio with answers by hand: gross exposure, number of sleeves, liquidation of margined sleeves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.errors import SettingsError
from tests.walkforward.portfolio.series import bars, course, run


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
