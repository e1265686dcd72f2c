"""The engines by name, with their features, and a run in one of them; plug-ins add more."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import polars as pl

from maestro._core.registry import Registry
from maestro.bars import Bars
from maestro.engine.costs import Costs
from maestro.engine.fills import keep_books
from maestro.engine.protocol import ABILITIES, Engine, EngineRun, Task
from maestro.engine.result import Backtest
from maestro.engine.simulator import Books, Simulator, require_stop
from maestro.engine.sizing import Sizing
from maestro.errors import SettingsError, nearest
from maestro.strategies.base import Strategy
from maestro.strategies.signals import Signals
from maestro.typing import Fill as Where

FAST = "fast"
"""Maestro's own engine, which is not behind the protocol: it also simulates folds."""
ENGINES: Registry[Engine] = Registry(
    "maestro.engines",
    "engine",
    {
        "vectorbt": "maestro.engine.vectorbt.adapter:ENGINE",
        "backtrader": "maestro.engine.backtrader.adapter:ENGINE",
    },
    lambda value: isinstance(value, Engine),
    "an instance of maestro.engine.protocol.Engine",
)
NAMES = (FAST, *ENGINES.builtin)
"""The engines that come with Maestro."""
ALIASES = {"v1": "backtrader", "v2": FAST}
"""Names of the 2020 system's engine and of this one's."""
_FAST_CAN = dict.fromkeys(ABILITIES, "yes") | {"trades": "the signals"}


def engines() -> pl.DataFrame:
    """Return a table of the features of each engine, one column per engine; ``extra`` installs its library.

    An unsupported feature raises an error that names it. A plug-in that cannot be imported is left out with
    a warning.
    """
    found, problems = ENGINES.load_all()
    for problem in problems:
        warnings.warn(problem, stacklevel=2)
    rows = ["alias", "extra", *ABILITIES]
    columns = {FAST: [next(alias for alias, name in ALIASES.items() if name == FAST), "", *_FAST_CAN.values()]}
    for name, engine in found.items():
        columns[name] = [engine.alias, engine.extra, *(engine.abilities.get(what, "") for what in ABILITIES)]
    return pl.DataFrame({"what": rows, **columns})


def engine_name(given: str) -> str:
    """Return the name of an engine, its alias resolved.

    Raises
    ------
    SettingsError
        There is no such engine; the nearest name is suggested.
    """
    name = ALIASES.get(given, given) if isinstance(given, str) else given
    if name != FAST and name not in ENGINES:
        allowed = [FAST, *ENGINES.names(), *ALIASES]
        raise SettingsError(
            f"engine={given!r} is unknown; allowed: {', '.join(allowed)}.{nearest(str(given), allowed)}"
        )
    return str(name)


class EngineBacktest(Backtest):
    """Result of a run in another engine: its fills, equity and position, with metrics by Maestro.

    `native` is the engine's own result: a ``vectorbt.Portfolio`` (of one to three rows per bar), or the results of
    backtrader's analyzers by name.
    """

    def __init__(
        self,
        simulator: Simulator,
        signals: Signals,
        strategy: Strategy | None,
        costs: Costs,
        sizing: Sizing,
        engine: str,
        run: EngineRun,
    ) -> None:
        books, values = keep_books(simulator, run.fills, run.equity, run.position, payments=run.payments, cuts=run.cuts)
        super().__init__(simulator, signals, values, strategy, costs, sizing)
        self.engine = engine
        self.native = run.native
        self._kept = books
        self._run_notes = run.notes

    @cached_property
    def books(self) -> Books:
        """The engine's run, laid out as the fast engine's."""
        return self._kept

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes on the interpretation of the numbers."""
        return (f"Simulated by {self.engine}.", *super().notes, *self._run_notes)


def run_engine(
    engine: str,
    bars: Bars,
    strategy: Strategy | None,
    signals: Signals,
    *,
    costs: Costs,
    sizing: Sizing,
    cash: float,
    fill: Where,
    window: tuple[int, int] | None = None,
    close_at_end: bool = False,
    **options: Any,
) -> EngineBacktest:
    """Simulate in an engine other than the fast one; `options` are the engine's own.

    Raises
    ------
    SettingsError
        The engine does not support the settings; the message names the feature and an engine that has it.
    MissingExtraError
        The library is not installed.
    PluginError
        The engine's plug-in cannot be imported.
    """
    simulator, used, task = prepare_task(
        engine, bars, strategy, signals, costs=costs, sizing=sizing, cash=cash, fill=fill,
        whole=window is None and not close_at_end, options=options,
    )  # fmt: skip
    started = time.perf_counter()
    run = used.run(task)
    seconds = time.perf_counter() - started
    result = EngineBacktest(simulator, signals, strategy, costs, sizing, engine, run)
    result.seconds = seconds
    return result


def prepare_task(
    engine: str,
    bars: Bars,
    strategy: Strategy | None,
    signals: Signals,
    *,
    costs: Costs,
    sizing: Sizing,
    cash: float,
    fill: Where,
    whole: bool = True,
    options: Mapping[str, Any] | None = None,
) -> tuple[Simulator, Engine, Task]:
    """Check the settings for another engine without running it; errors as of `run_engine`."""
    used = ENGINES.get(engine, SettingsError)
    simulator = Simulator(bars, costs=costs, sizing=sizing, cash=cash, fill=fill)
    if sizing.kind == "risk":
        require_stop(signals)
    task = Task(bars, strategy, signals, costs, sizing, simulator.cash, fill, whole, options or {})
    reasons = list(used.refusals(task))
    if not whole:
        reasons.append("window and close_at_end, which are for folds")
    if reasons:
        raise SettingsError(f"engine={engine!r} cannot do this: {'; '.join(reasons)}. {used.instead(task)}")
    return simulator, used, task
