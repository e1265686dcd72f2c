"""Backtest jobs: validated before they are queued, run once, and stored in the runs directory by id."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import signal
import threading
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from maestro.bars import Bars
from maestro.engine import Backtest, Costs, Simulator, Sizing, backtest
from maestro.engine.engines import FAST, NAMES, prepare_task
from maestro.engine.simulator import require_stop
from maestro.errors import MaestroError, MissingExtraError, RunCancelled, RunError
from maestro.runs.backtests import BacktestSpec, BacktestStore
from maestro.strategies import Strategy
from maestro.typing import Fill

_LOOK = 0.1
"""Seconds between looks at whether a backtest in another process is cancelled."""


class PlannedBacktest:
    """A backtest that was checked and not run.

    Attributes
    ----------
    spec : BacktestSpec
        What determines the result.
    folds, trials : int
        0 and 1: it has no folds, and one parameter set.
    """

    folds, trials = 0, 1

    def __init__(
        self, bars: Bars, strategy: Strategy, *, costs: Costs, sizing: Sizing, cash: float, fill: Fill, engine: str
    ) -> None:
        """Check everything.

        Raises
        ------
        MaestroError
            What `ms.backtest` refuses before it simulates.
        """
        self._bars, self._strategy, self._engine = bars, strategy, engine
        self._settings: dict[str, Any] = {"costs": costs, "sizing": sizing, "cash": cash, "fill": fill}
        signals = strategy.evaluate(bars)
        if engine == FAST:
            Simulator(bars, **self._settings)
            if sizing.kind == "risk":
                require_stop(signals)
        else:
            simulator, used, _ = prepare_task(engine, bars, strategy, signals, **self._settings)
            if engine in NAMES and importlib.util.find_spec(engine) is None:
                raise MissingExtraError(engine, used.extra)
            cash = simulator.cash
        self.spec = BacktestSpec.of(bars, strategy, costs=costs, sizing=sizing, cash=cash, fill=fill, engine=engine)

    @cached_property
    def id(self) -> str:
        """Id that the result will have."""
        return self.spec.id

    def estimate(self) -> float | None:
        """Seconds that the fast engine takes, measured; None for another engine, whose time is known afterwards."""
        return self.run().seconds if self._engine == FAST else None

    def run(self) -> Backtest:
        """Run it."""
        return backtest(self._bars, self._strategy, engine=self._engine, **self._settings)

    def keep(self, runs_dir: Path) -> None:
        """Run it and write the result.

        Raises
        ------
        RunError
            The result cannot be written.
        """
        BacktestStore(runs_dir, self.id).write(self.run(), self.spec)


def run_and_keep(planned: PlannedBacktest, runs_dir: Path, stop: threading.Event) -> None:
    """Run a planned backtest, or find it, and write its result.

    The fast engine takes milliseconds. Another engine may take minutes and cannot be interrupted, so it runs in a
    process of its own, which is ended when `stop` is set.

    Raises
    ------
    RunCancelled
        `stop` was set.
    MaestroError
        The error of the backtest; `RunError` if its process raised an error or died.
    """
    store = BacktestStore(runs_dir, planned.id)
    if store.exists:
        try:
            store.load()
        except RunError:  # damaged: it is computed again
            pass
        else:
            return
    if planned.spec.engine == FAST:
        planned.keep(runs_dir)
        return
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(planned, runs_dir, sending), daemon=True)
    child.start()
    sending.close()
    try:
        while not receiving.poll(_LOOK):
            if stop.is_set():
                raise RunCancelled("the backtest was cancelled; no result is kept.")
        words = receiving.recv()
    except EOFError:
        words = (
            f"the process that ran {planned.spec.engine} died (killed, or out of memory?); see the worker's log, and "
            "submit the job again."
        )
    finally:
        child.kill()
        child.join()
        receiving.close()
    if words is not None:
        raise RunError(words)


def _child(planned: PlannedBacktest, runs_dir: Path, sending: Connection) -> None:
    """Run a backtest in this process and send None, or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        planned.keep(runs_dir)
    except MaestroError as error:
        sending.send(str(error))
    except Exception as error:
        sending.send(f"{type(error).__name__}: {error}")
        raise  # its traceback belongs into the worker's log
    else:
        sending.send(None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
