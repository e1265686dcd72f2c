"""Every planted defect is caught and named; built-in and honest strategies raise no alarm."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro._core.compiled import njit
from maestro.bars import Bars
from maestro.errors import MissingSeriesError, ParameterError, SettingsError, StrategyError
from maestro.strategies import STRATEGIES
from maestro.strategies.steps import ORDER_STEP
from tests.strategies import markets
from tests.validation.lookahead import honest, leaky

CUTS = 60
"""Fewer than the 200 of benchmarks/check_lookahead.py, which proves the same on whole series."""


@lru_cache
def hours() -> Bars:
    return ms.synthetic_bars(3000, seed=3)


def check(strategy: Any, **settings: Any) -> ms.validation.LookAhead:
    return ms.validation.lookahead(hours(), strategy, **settings)


def row_of(found: ms.validation.LookAhead, name: str) -> dict[str, Any]:
    (row,) = [row for row in found.table.to_dicts() if row["check"] == name]
    return row


@pytest.mark.parametrize(("cls", "name", "columns"), leaky.AHEAD, ids=lambda x: getattr(x, "__name__", ""))
def test_a_planted_leak_is_caught_and_its_columns_are_named(cls: Any, name: str, columns: set[str]) -> None:
    found = check(cls)
    row = row_of(found, name)
    assert row["passed"] is False, found
    assert not found.passed
    assert set(row["columns"]) == columns, found
    assert row["signal"] in {*found.changes["signal"], "orders"}
    assert row["bar"] < row["cut"] <= len(hours())
    assert int(hours().time[row["bar"]]) == round(row["timestamp"].timestamp() * 1e6)
    assert row["bar"] == found.changes["bar"].min()
    assert f"bar {row['bar']} " in row["finding"]


def test_ten_kinds_of_leaks_are_planted() -> None:
    assert len(leaky.AHEAD) + len(leaky.ELSEWHERE) >= 10


@pytest.mark.parametrize(("cls", "name"), leaky.ELSEWHERE + leaky.TOO_LITTLE, ids=lambda x: getattr(x, "__name__", x))
def test_other_defects_are_caught_under_their_own_names(cls: Any, name: str) -> None:
    found = check(cls)
    assert name in found.failed, found
    if name in ("warm-up", "history", "randomness"):
        assert found.failed == [name], found


@pytest.mark.parametrize("cls", honest.HONEST)
def test_honest_strategies_raise_no_alarm(cls: Any) -> None:
    found = check(cls)
    assert found.passed, found
    assert found.changes.is_empty()
    assert found.table["passed"].to_list() == [True] * 6


def series() -> dict[str, Any]:
    """Five real series: hours of two markets and of another exchange, four hours of a perpetual, days of a stock."""
    return {
        "bitfinex BTCUSD": lambda: markets.bitfinex("BTCUSD"),
        "bitfinex ETHUSD": lambda: markets.bitfinex("ETHUSD"),
        "perpetual": lambda: markets.perpetual(),
        "AAPL": lambda: ms.load_sample("AAPL"),
        "daily interest": lambda: markets.daily_interest(),
        "basis": lambda: markets.with_basis(),
    }


@pytest.mark.parametrize("name", series())
def test_none_of_the_22_raises_an_alarm_on_real_bars(name: str) -> None:
    bars = series()[name]()
    for strategy, cls in STRATEGIES.items():
        lacks = any(getattr(bars, one) is None for one in cls.requires)
        found = ms.validation.lookahead(bars, strategy, params={"proxy": True} if lacks else None, cuts=CUTS)
        assert found.passed, found
        assert not found.table["passed"].has_nulls(), found


def test_columns_that_start_late_are_no_alarm() -> None:
    bars = markets.random_market(4, 1200)
    rate = np.where(np.arange(1200) < 300, np.nan, bars.funding_rate)
    columns = {name: getattr(bars, name) for name in ("time", "open", "high", "low", "close", "volume")}
    late = Bars({**columns, "funding_rate": rate}, provider="", symbol="X", timeframe="1h", periods_per_year=8760.0)
    found = ms.validation.lookahead(late, "FundingRateArbitrage")
    assert found.passed, found
    assert min(found.cuts) > 300


@njit(ORDER_STEP)
def _peek(t: int, allowed: bool, bar: Any, columns: Any, numbers: Any, account: Any, state: Any, book: Any) -> int:
    """Lay a buy below tomorrow's close, read from the column, when there is no lot."""
    book[:] = 0.0
    if allowed and t + 1 < columns.shape[1]:
        book[0, 0] = 1.0 if account[1] == 0.0 else -1.0
        book[0, 1] = columns[0, t + 1]
        book[0, 2] = account[3] if account[1] == 0.0 else 0.0
        book[0, 3] = account[1]
        book[0, 4] = -1.0
    return 0


class PeekingStep(ms.Strategy):
    """Honest columns, read one bar ahead by the compiled step."""

    def warmup(self, params: Any) -> int:
        return 10

    def signals(self, bars: ms.Bars) -> ms.Orders:
        allowed = np.ones(len(bars), bool)
        return ms.Orders(allowed, step=_peek, columns=bars.close[None, :], numbers=np.zeros(1), slots=1, state=1)


def test_a_step_that_reads_ahead_is_caught_by_its_fills() -> None:
    row = row_of(check(PeekingStep), "look-ahead")
    assert row["passed"] is False
    assert row["signal"] == "orders"
    assert "the step reads ahead" in row["finding"]


def test_the_same_seed_gives_the_same_result_and_the_bars_stay_as_they_are() -> None:
    before = hours().to_frame()
    first, second, other = (check(leaky.MutatesByFlag, seed=0), check(leaky.WholeMean), check(leaky.WholeMean, seed=1))
    assert hours().to_frame().equals(before)
    assert not first.passed
    assert second.table.equals(check(leaky.WholeMean).table)
    assert second.cuts != other.cuts


def test_a_class_that_was_checked_is_left_as_it_was() -> None:
    code, known = leaky.CachedThreshold.signals.__globals__, dict(leaky._BY_NAME)
    check(leaky.CachedThreshold)
    assert leaky.CachedThreshold.signals.__globals__ is code
    assert known == leaky._BY_NAME


def test_classes_of_a_cell_or_a_function_are_checked_too() -> None:
    class Inner(ms.Strategy):
        def signals(self, bars: ms.Bars) -> ms.Signals:
            return ms.Signals(bars.close > bars.close.mean())

    assert check(Inner).failed[0] == "look-ahead"
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import maestro as ms\nkept = {}\nclass Cell(ms.Strategy):\n    def signals(self, bars):\n"
        "        level = kept.setdefault('level', bars.close.mean())\n        return ms.Signals(bars.close > level)\n",
        space,
    )
    assert "state" in check(space["Cell"]).failed
    assert not space["kept"]


def test_a_strategy_that_raises_is_a_finding() -> None:
    class Short(ms.Strategy):
        def signals(self, bars: ms.Bars) -> ms.Signals:
            return ms.Signals(bars.close > bars.close[1000])

    class Never(ms.Strategy):
        def signals(self, bars: ms.Bars) -> ms.Signals:
            raise ZeroDivisionError("no")

    row = row_of(check(Short), "look-ahead")
    assert row["passed"] is False
    assert "raises IndexError: index 1000 is out of bounds" in row["finding"]
    row = row_of(check(Never), "look-ahead")
    assert (row["passed"], row["finding"]) == (False, "The strategy raises ZeroDivisionError: no.")


def test_the_result_shows_itself() -> None:
    found = check(leaky.NegativeShift)
    text, html = repr(found), found._repr_html_()
    assert "FAILED: look-ahead" in text
    assert "It changes with later values of close." in text
    assert "✗ fail" in html
    assert html.count("✓ pass") == 5
    plain = found.to_dict()
    assert plain["failed"] == ["look-ahead"]
    assert len(plain["checks"]) == 6


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"strategy": "EmaCros"}, StrategyError, "Did you mean"),
        (
            {"strategy": ms.Signals(np.ones(3000, bool))},
            StrategyError,
            "signals cannot be checked without their strategy",
        ),
        ({"strategy": "BasisTradingStrategy"}, MissingSeriesError, "needs basis"),
        ({"strategy": "RSIStrategy", "cuts": 0}, SettingsError, "cuts=0 is not a whole number of at least 1"),
        ({"strategy": "RSIStrategy", "starts": -1}, SettingsError, "starts=-1"),
        ({"strategy": "RSIStrategy", "seed": True}, SettingsError, "seed=True"),
        ({"strategy": "RSIStrategy", "bars": [1]}, SettingsError, "bars is a list"),
        ({"strategy": "EmaCrossStrategy", "bars": hours()[:150]}, ParameterError, "needs 100 bars to warm up"),
        ({"strategy": "EmaCrossStrategy", "bars": hours()[:200]}, SettingsError, "200 bars are too few"),
    ],
)
def test_what_cannot_be_checked_is_refused_by_name(given: dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        ms.validation.lookahead(given.pop("bars", hours()), **given)
