"""One backtest: a strategy on bars, simulated by the fast engine or another one."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.engines import FAST, engine_name, run_engine
from maestro.engine.result import Backtest
from maestro.engine.simulator import Simulator
from maestro.engine.sizing import Sizing
from maestro.errors import SettingsError, StrategyError
from maestro.strategies import strategy as build
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.typing import Fill

_COSTS = Costs()


def resolve(strategy: Any, params: dict[str, Any] | None) -> Strategy | Signals:
    """Return strategy and signals of a name, class, instance or signals; `params` override an instance's.

    Raises
    ------
    StrategyError
        No such strategy, or not a strategy.
    ParameterError
        Parameters that the strategy does not have or cannot take.
    """
    if isinstance(strategy, str):
        return build(strategy, **(params or {}))
    if isinstance(strategy, Strategy):
        return type(strategy)(**{**strategy.params, **params}) if params else strategy
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy(**(params or {}))
    if isinstance(strategy, Signals):
        if params:
            raise StrategyError("params were given with signals, which have none; leave them out.")
        return strategy
    raise StrategyError(
        f"{strategy!r} is not a strategy; give a name (ms.strategies()), an ms.Strategy class or instance, or "
        "ms.Signals."
    )


def backtest(
    bars: Bars,
    strategy: Any,
    *,
    params: dict[str, Any] | None = None,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    fill: Fill = "next_open",
    engine: str = "fast",
    window: tuple[int, int] | None = None,
    close_at_end: bool = False,
) -> Backtest:
    """Simulate a strategy on bars.

    Parameters
    ----------
    bars : Bars
    strategy : str, Strategy, type of Strategy, or Signals
    params : dict, optional
        Parameter values; the others keep their defaults.
    costs : Costs, optional
        Default ``Costs(fee=0.001, slippage=0.0005)``.
    sizing : Sizing or str
        Default ``Sizing.percent(1.0)``: all equity, both directions.
    cash : float
        Starting cash [currency].
    fill : {"next_open", "close"}
    engine : {"fast", "vectorbt", "backtrader"} or the name of a plug-in's engine
        Engine that simulates (`ms.engines` lists their features); ``"v2"`` is fast, ``"v1"`` backtrader.
    window, close_at_end
        See `Simulator`.

    Returns
    -------
    Backtest

    Raises
    ------
    StrategyError, ParameterError, MissingSeriesError, SettingsError
        The message says what was received, what is allowed and what to do.
    MissingExtraError
        The engine's library is not installed.
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    engine = engine_name(engine)
    chosen = resolve(strategy, params)
    costs = costs or _COSTS
    sizing = Sizing.of(sizing)
    started = perf_counter()
    whose, signals = (None, chosen) if isinstance(chosen, Signals) else (chosen, chosen.evaluate(bars))
    if engine != FAST:
        return run_engine(
            engine, bars, whose, signals, costs=costs, sizing=sizing, cash=cash, fill=fill,
            window=window, close_at_end=close_at_end,
        )  # fmt: skip
    simulator = Simulator(
        bars, costs=costs, sizing=sizing, cash=cash, fill=fill, window=window, close_at_end=close_at_end
    )
    result = Backtest(simulator, signals, simulator.metrics(signals), whose, costs, sizing)
    result.seconds = perf_counter() - started
    return result
