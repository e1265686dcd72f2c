"""The contract of every engine, as a test class for engines of plug-ins and Maestro's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maestro.bars import Bars
from maestro.bars.loading import load_sample
from maestro.engine import Backtest, Costs, backtest
from maestro.engine.engines import engines
from maestro.engine.protocol import ABILITIES
from maestro.errors import SettingsError
from maestro.validation.parity.compare import compare


class EngineContract:
    """Tests that every engine passes (`maestro.engine.protocol.Engine` states the obligations)::

        class TestMyEngine(EngineContract):
            engine = "mine"

    Attributes
    ----------
    engine : str
        Its name, by which it is registered.
    strategies : tuple of str
        Strategies that it is asked to simulate; their signals have no stops.
    tolerance : float
        Largest relative difference of a fill and of equity from the fast engine's; 0 asks for no agreement.
    """

    engine: str
    strategies: tuple[str, ...] = ("EmaCrossStrategy", "RSIStrategy", "BollingerBandsStrategy")
    tolerance = 1e-9

    @pytest.fixture
    def bars(self) -> Bars:
        """Bars on which it is tested."""
        return load_sample("MSFT")[:500]

    def simulated(self, bars: Bars, name: str, **settings: Any) -> Backtest:
        """Result of a strategy in this engine; the test is skipped if the engine refuses it."""
        try:
            return backtest(bars, name, engine=self.engine, **settings)
        except SettingsError as error:
            pytest.skip(str(error))

    def test_it_is_listed_with_what_it_can_do(self) -> None:
        table = engines()
        assert self.engine in table.columns
        answers = dict(zip(table["what"], table[self.engine], strict=True))
        assert all(answers[what] for what in ABILITIES), "say of every ability whether the engine has it"

    def test_the_tables_are_those_of_every_engine(self, bars: Bars) -> None:
        for name in self.strategies:
            ours, theirs = backtest(bars, name), self.simulated(bars, name)
            for table in ("equity", "trades", "orders"):
                assert getattr(theirs, table).schema == getattr(ours, table).schema, (name, table)
            assert theirs.equity["timestamp"].equals(ours.equity["timestamp"])
            assert list(theirs.metrics) == list(ours.metrics)
            assert theirs.engine == self.engine
            assert theirs.notes[0] == f"Simulated by {self.engine}."
            assert theirs.orders["timestamp"].is_sorted()

    def test_cash_and_profits_add_up(self, bars: Bars) -> None:
        for name in self.strategies:
            theirs = self.simulated(bars, name)
            equity = theirs.equity["equity"].to_numpy()
            assert np.isfinite(equity).all()
            assert theirs.cash + float(theirs.trades["pnl"].sum()) == pytest.approx(equity[-1], rel=1e-9), name
            assert theirs.orders["fee"].sum() == pytest.approx(theirs.metrics["fees"], rel=1e-9), name

    def test_it_agrees_with_the_fast_engine(self, bars: Bars) -> None:
        if not self.tolerance:
            pytest.skip("this engine is not asked to agree")
        for name in self.strategies:
            for costs in (Costs(0.0, 0.0), Costs(0.002, 0.001)):
                found = compare(backtest(bars, name, costs=costs), self.simulated(bars, name, costs=costs))
                assert found.fill <= self.tolerance, (name, found)
                assert found.equity_difference <= self.tolerance, (name, found)

    def test_the_same_again_is_equal(self, bars: Bars) -> None:
        first, second = (self.simulated(bars, self.strategies[0]) for _ in range(2))
        assert first.equity.equals(second.equity)
        assert first.orders.equals(second.orders)

    def test_what_it_cannot_do_is_refused_by_name(self, bars: Bars) -> None:
        with pytest.raises(SettingsError, match=f"engine='{self.engine}' cannot do this: .+"):
            backtest(bars, self.strategies[0], engine=self.engine, window=(100, 200))
