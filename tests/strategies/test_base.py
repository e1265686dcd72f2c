"""User-defined strategies work like built-in ones, and a broken contract is named."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import maestro as ms
from maestro.errors import ParameterError, StrategyError
from maestro.strategies import strategy_class
from maestro.strategies.base import maker
from tests.strategies import markets
from tests.support.patience import GIVE_UP

BARS = markets.random_market(0, 600)


class MyCross(ms.Strategy):
    """The ten lines of the class's own docstring."""

    fast = ms.Int(10, 2, 50)
    slow = ms.Int(30, 10, 200)
    constraints = (ms.Constraint("fast < slow", lambda p: p.fast < p.slow),)

    def warmup(self, params: Any) -> int:
        return int(params.slow)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        fast, slow = ms.indicators.sma(bars.close, self.fast), ms.indicators.sma(bars.close, self.slow)
        return ms.Signals.flip(ms.indicators.crosses_above(fast, slow), ms.indicators.crosses_below(fast, slow))


class Faster(MyCross):
    """Inherits parameters and adds one."""

    factor = ms.Float(1.5, 1.0, 2.0)


class Eager(ms.Strategy):
    """Speaks at every bar, warm or not, in plain NumPy."""

    warm = ms.Int(20, 0, 50)

    def warmup(self, params: Any) -> int:
        return int(params.warm)

    def signals(self, bars: ms.Bars) -> ms.Signals:
        return ms.Signals(np.ones(len(bars), bool), None, None, bars.close < bars.open)


def test_an_own_class_works_like_a_built_in_one() -> None:
    by_class = ms.backtest(BARS, MyCross, params={"fast": 5})
    by_instance = ms.backtest(BARS, MyCross(fast=5))
    built_in = ms.backtest(BARS, "MaCrossStrategy", params={"fast": 5, "slow": 30, "confirm": 0})
    assert by_class.metrics["num_trades"] > 5
    assert by_class.metrics["final_equity"] == by_instance.metrics["final_equity"] == built_in.metrics["final_equity"]
    assert repr(MyCross(fast=5)) == "MyCross(fast=5, slow=30)"
    assert "params.slow" in MyCross.source()
    with pytest.raises(ParameterError, match="MyCross needs fast < slow"):
        MyCross(fast=40)


def test_parameters_are_inherited_in_order() -> None:
    assert list(Faster.declared) == ["fast", "slow", "factor"]
    assert Faster(factor=2).params == {"fast": 10, "slow": 30, "factor": 2.0}
    assert list(MyCross.declared) == ["fast", "slow"]


def test_the_warm_up_of_an_own_class_is_suppressed() -> None:
    raw = Eager().signals(BARS)
    kept = Eager().evaluate(BARS)
    assert raw.long_entry.all()
    assert not kept.long_entry[:20].any()
    assert kept.long_entry[20:].all()
    assert not kept.short_exit[:20].any()
    np.testing.assert_array_equal(kept.short_exit[20:], raw.short_exit[20:])
    assert raw.long_entry.all()  # the strategy's own arrays are left alone
    assert Eager(warm=0).evaluate(BARS).long_entry.all()


def test_an_own_class_profits_from_the_cache() -> None:
    with ms.indicators.column_cache() as cache:
        MyCross(fast=5).signals(BARS)
        MyCross(fast=6).signals(BARS)
    assert (cache.hits, cache.misses) == (1, 3)


def returning(value: Any) -> type[ms.Strategy]:
    class Broken(ms.Strategy):
        def signals(self, bars: ms.Bars) -> Any:
            return value

    return Broken


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "Broken.signals returned NoneType; return ms.Signals"),
        (ms.Signals(np.zeros(5, bool)), "Broken.signals returned 5 values for 600 bars"),
    ],
)
def test_a_broken_contract_is_named(value: Any, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        returning(value)().evaluate(BARS)


def test_a_strategy_without_a_rule_is_refused() -> None:
    class Empty(ms.Strategy):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty defines no signals\(bars\)"):
        Empty().evaluate(BARS)


def test_numba_is_not_imported_until_a_strategy_is_used() -> None:
    code = (
        "import sys, maestro as ms; ms.strategies(); ms.Strategy; ms.Int(1, 1, 2); ms.Signals([True])\n"
        "assert 'numba' not in sys.modules\n"
        "ms.strategy('EmaCrossStrategy'); assert 'numba' in sys.modules\n"
        "assert 'maestro.strategies.builtin.grid' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=GIVE_UP)


@pytest.mark.parametrize("name", ms.strategies())
def test_an_instance_made_without_checks_is_the_checked_one(name: str) -> None:
    cls, _ = strategy_class(name)
    checked = cls()
    made = maker(cls)(dict(checked.params))
    assert made.params == checked.params
    assert vars(made) == vars(checked)


def test_a_class_with_an_init_of_its_own_is_called() -> None:
    class Own(ms.Strategy):
        n = ms.Int(3, 1, 9)

        def __init__(self, **params: Any) -> None:
            super().__init__(**params)
            self.twice = 2 * self.n

    assert maker(Own)({"n": 4}).twice == 8  # type: ignore[attr-defined]
