"""One account for several series against vectorbt, and what must hold of any account."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro.errors import SettingsError
from maestro.portfolio import run_shared
from maestro.typing import FloatArray

CASH = 100_000.0


def market(
    n: int = 500, k: int = 6, seed: int = 0, every: int = 20, total: float = 0.6
) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    price = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (n, k)), axis=0))
    targets = np.full((n, k), np.nan)
    for t in range(0, n, every):
        targets[t] = rng.dirichlet(np.ones(k)) * total * rng.choice([1, 1, -1], k)
    return price, targets


def test_equity_is_that_of_vectorbt() -> None:
    vectorbt = pytest.importorskip("vectorbt")
    price, targets = market()
    targets[7::31, 2] = 0.05
    portfolio = vectorbt.Portfolio.from_orders(
        price, size=targets, size_type="targetpercent", price=price, fees=0.001, slippage=0.0005, init_cash=CASH,
        cash_sharing=True, group_by=True, call_seq="auto", freq="1D",
    )  # fmt: skip
    own = run_shared(price, price, targets, cash=CASH, fee=0.001, slippage=0.0005)
    assert own.scaled == 0
    np.testing.assert_allclose(own.equity, portfolio.value().to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(own.fees.sum(), portfolio.orders.records["fees"].sum(), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 7), st.floats(0.1, 1.6))
def test_profit_adds_up_and_order_never_matters(seed: int, k: int, total: float) -> None:
    price, targets = market(120, k, seed, 7, total)
    close = price * np.exp(np.random.default_rng(seed).normal(0, 0.003, price.shape))
    own = run_shared(price, close, targets, cash=CASH, fee=0.001, slippage=0.0005)
    change = np.diff(np.concatenate(([CASH], own.equity)))
    np.testing.assert_allclose(own.profit.sum(axis=1), change, atol=1e-9 * CASH)
    np.testing.assert_allclose(own.cash + (own.units * close).sum(axis=1), own.equity, rtol=1e-9, atol=1e-6)
    order = np.random.default_rng(seed).permutation(k)
    other = run_shared(price[:, order], close[:, order], targets[:, order], cash=CASH, fee=0.001, slippage=0.0005)
    np.testing.assert_allclose(other.equity, own.equity, rtol=1e-12)
    np.testing.assert_allclose(other.units, own.units[:, order], rtol=1e-9, atol=1e-9)


def test_purchases_beyond_the_cash_are_cut_alike() -> None:
    price = np.full((1, 3), 10.0)
    own = run_shared(price, price, np.array([[0.8, 0.8, 0.4]]), cash=CASH, fee=0.01)
    assert own.scaled == 1
    assert own.cash[0] == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(own.units[0] / own.units[0, 2], [2, 2, 1])


def test_a_series_without_a_price_keeps_its_position() -> None:
    price = np.array([[10.0, 10.0], [11.0, np.nan], [11.0, 12.0]])
    targets = np.array([[0.5, 0.5], [0.0, 0.0], [np.nan, np.nan]])
    own = run_shared(price, price, targets, cash=CASH)
    np.testing.assert_allclose(own.units[:, 1], 5_000)
    np.testing.assert_allclose(own.units[1:, 0], 0)
    np.testing.assert_allclose(own.equity, [CASH, 105_000, 115_000])


def test_a_ruined_account_is_closed_with_costs_and_stays_so() -> None:
    price = np.array([[10.0], [25.0], [5.0]])
    own = run_shared(price, price, np.array([[-1.0], [-1.0], [1.0]]), cash=CASH, fee=0.01)
    assert own.ruined == 1
    np.testing.assert_allclose(own.units[1:], 0)
    np.testing.assert_allclose(own.equity[1:], CASH + 10_000 * (10 * 0.99 - 25 * 1.01))
    assert run_shared(price, price, np.array([[0.1], [np.nan], [np.nan]]), cash=CASH).ruined == -1


def test_bad_input_is_refused_by_name() -> None:
    ones = np.ones((3, 2))
    with pytest.raises(SettingsError, match="give equal ones"):
        run_shared(ones, ones, np.ones((3, 1)), cash=1.0)
    with pytest.raises(SettingsError, match="cash=0"):
        run_shared(ones, ones, ones, cash=0)
    with pytest.raises(SettingsError, match="infinite"):
        run_shared(ones, ones, ones * np.inf, cash=1.0)


def test_limits_on_positions_and_exposure_by_hand() -> None:
    price = np.full((3, 2), 10.0)
    price[1:, 0] = 20.0
    nan = np.nan
    targets = np.array([[0.9, -0.5], [nan, -0.5], [0.4, -0.4]])
    own = run_shared(price, price, targets, cash=1_000.0, max_position=0.6, max_gross=1.0)
    # Bar 0: 0.9 is cut to 0.6, then 0.6 + 0.5 = 1.1 to 1: both times 1 / 1.1.
    np.testing.assert_allclose(own.units[0], [1_000 * 0.6 / 1.1 / 10, -1_000 * 0.5 / 1.1 / 10])
    # Bar 1: the first position stays and is worth 1,090.91 of an equity of 1,545.45; 454.55 are left for the second.
    equity = 1_000 + 1_000 * 0.6 / 1.1
    np.testing.assert_allclose(own.equity[1], equity)
    np.testing.assert_allclose(own.units[1], [own.units[0, 0], -(equity - 1_000 * 1.2 / 1.1) / 10])
    # Bar 2: both targets fit.
    np.testing.assert_allclose(own.units[2], [0.4 * equity / 20, -0.4 * equity / 10])
    assert own.limited == 2
    gross = np.abs(own.units * price).sum(axis=1) / own.equity
    assert (gross <= 1 + 1e-12).all()


def test_a_short_is_liquidated_at_the_maintenance_margin_by_hand() -> None:
    price = np.array([[100.0], [190.0], [191.0], [50.0]])
    targets = np.array([[-1.0], [np.nan], [np.nan], [1.0]])
    plain = run_shared(price, price, targets, cash=1_000.0)
    assert (plain.ruined, plain.liquidated) == (-1, False)
    # Short 10 units: the equity is 2,000 - 10 p, and 5 % of the notional 0.5 p; equal at p = 190.48.
    own = run_shared(price, price, targets, cash=1_000.0, fee=0.001, maintenance=0.05)
    free = run_shared(price, price, targets, cash=1_000.0, maintenance=0.05)
    assert (free.ruined, free.liquidated) == (2, True)
    np.testing.assert_allclose(free.equity, [1_000, 100, 90, 90])
    np.testing.assert_allclose(free.units[:, 0], [-10, -10, 0, 0])
    np.testing.assert_allclose(own.equity[2:], 90 - 1.0 - 1.91)  # fees of selling at 100 and of buying back at 191
    change = np.diff(np.concatenate(([1_000.0], own.equity)))
    np.testing.assert_allclose(own.profit.sum(axis=1), change, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 7), st.floats(0.1, 3.0), st.floats(0.3, 2.0), st.floats(0.1, 1.0))
def test_limits_hold_in_any_order(seed: int, k: int, total: float, gross: float, most: float) -> None:
    price, targets = market(100, k, seed, 5, total)
    limits = {"max_position": most, "max_gross": gross, "maintenance": 0.02}
    own = run_shared(price, price, targets, cash=CASH, **limits)
    asked = ~np.isnan(targets[:, 0])
    shares = np.abs(own.units * price)[asked] / own.equity[asked, None]
    assert (shares <= most + 1e-9).all()
    assert (shares.sum(axis=1) <= gross + 1e-9).all()
    order = np.random.default_rng(seed).permutation(k)
    other = run_shared(price[:, order], price[:, order], targets[:, order], cash=CASH, **limits)
    np.testing.assert_allclose(other.equity, own.equity, rtol=1e-12)
    assert other.limited == own.limited


def test_bad_limits_are_refused() -> None:
    ones = np.ones((3, 2))
    for limits in ({"max_gross": 0}, {"max_position": -1}, {"maintenance": 1.0}, {"maintenance": float("nan")}):
        with pytest.raises(SettingsError, match=next(iter(limits))):
            run_shared(ones, ones, ones, cash=1.0, **limits)


def test_separate_accounts_are_vectorbts_without_shared_cash() -> None:
    vectorbt = pytest.importorskip("vectorbt")
    price, targets = market(k=4)
    portfolio = vectorbt.Portfolio.from_orders(
        price, size=targets, size_type="targetpercent", price=price, fees=0.001, slippage=0.0005, init_cash=CASH,
        cash_sharing=False, freq="1D",
    )  # fmt: skip
    own = [
        run_shared(price[:, [k]], price[:, [k]], targets[:, [k]], cash=CASH, fee=0.001, slippage=0.0005).equity
        for k in range(4)
    ]
    np.testing.assert_allclose(np.sum(own, axis=0), portfolio.value().sum(axis=1).to_numpy(), rtol=1e-12)
