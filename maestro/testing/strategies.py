"""The contract of every strategy, as a test class."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maestro.bars import Bars
from maestro.bars.loading import load_sample
from maestro.engine import backtest
from maestro.errors import ParameterError
from maestro.strategies import Strategy
from maestro.strategies.parameters import Parameter
from maestro.validation import lookahead
from maestro.walkforward.run import walk_forward


class StrategyContract:
    """Tests for a strategy of your own::

        class TestMyStrategy(StrategyContract):
            strategy = MyStrategy

    Override the fixture `bars` to test it on other bars. Trials of these tests are not counted in your ledger.

    Attributes
    ----------
    strategy : type of Strategy
    splitter : str
        Of the walk-forward; its windows must be longer than the strategy's warm-up.
    """

    strategy: type[Strategy]
    splitter = "rolling:5,2,1"

    @pytest.fixture
    def bars(self) -> Bars:
        """Real daily bars."""
        return load_sample("AAPL")

    @pytest.fixture(autouse=True)
    def own_ledger(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count the trials of tests in a ledger of their own."""
        monkeypatch.setenv("MAESTRO_LEDGER_DIR", str(tmp_path))

    def test_it_does_not_look_ahead(self, bars: Bars) -> None:
        found = lookahead(bars, self.strategy)
        assert found.passed, found

    def test_it_trades(self, bars: Bars) -> None:
        assert backtest(bars, self.strategy).metrics["num_trades"] > 0

    def test_other_parameters_give_other_trades(self, bars: Bars) -> None:
        searched = {name: parameter for name, parameter in self.strategy.declared.items() if parameter.search}
        if not searched:
            pytest.skip("no parameter is searched")
        usual = backtest(bars, self.strategy).orders
        others = [{name: value} for name, parameter in searched.items() for value in _others(parameter)]
        assert any(not _orders(bars, self.strategy, params).equals(usual) for params in others)

    def test_every_fold_has_a_result(self, bars: Bars) -> None:
        wf = walk_forward(bars, self.strategy, splitter=self.splitter, trials=10, workers=1, progress=False)
        assert not len(wf.failed_folds), wf.failed_folds["error"].to_list()

    def test_every_parameter_is_documented(self) -> None:
        assert not [name for name, parameter in self.strategy.declared.items() if not parameter.doc]


def _others(parameter: Parameter) -> list[object]:
    """Other values of a parameter than its default."""
    bounds = [getattr(parameter, name) for name in ("low", "high") if hasattr(parameter, name)]
    values = bounds or list(getattr(parameter, "options", (True, False)))
    return [value for value in values if value != parameter.default]


def _orders(bars: Bars, strategy: type[Strategy], params: dict[str, object]) -> pl.DataFrame:
    try:
        return backtest(bars, strategy, params=params).orders
    except ParameterError:  # the others' defaults do not go with this value
        return backtest(bars, strategy).orders
