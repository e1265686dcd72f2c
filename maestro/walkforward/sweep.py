"""Many parameter sets on one stretch of bars: grid, random or Sobol, on all cores, shared columns computed once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from maestro._core.markup import Markup, html
from maestro.bars import Bars
from maestro.engine import Costs, Simulator, Sizing
from maestro.errors import MaestroError, RunCancelled, SettingsError, nearest
from maestro.execution.executors import KINDS, hand_on, pooled
from maestro.indicators import ColumnCache, using
from maestro.ledger import Recorder, left_unfinished
from maestro.metrics import NAMES, SHARPE
from maestro.runs import run_id, source_hash
from maestro.search.sampling import METHODS, propose_all, visits
from maestro.search.space import Space
from maestro.search.tpe import check_seed
from maestro.strategies import Strategy, strategy_class
from maestro.typing import Fill, FloatArray, Parameters
from maestro.walkforward.notes import failures_note, left_out_note
from maestro.walkforward.selection import Select, Selection

_LONG = 20_000
"""Bars from which compiled code dominates and threads serve as well as processes."""
_QUICK = 20_000_000
"""Bars times sets below which workers cost more than they save."""


@dataclass(frozen=True)
class Sweep:
    """Result of a sweep.

    Attributes
    ----------
    table : polars frame
        One row per parameter set in order of proposal: parameters, metrics (null if it failed), error.
    space : Space
        What was searched.
    distinct : int
        Sets that were evaluated; equal ones are evaluated once.
    notes : tuple of str
        What a reader needs to know to judge the numbers.
    """

    table: pl.DataFrame
    space: Space
    distinct: int
    notes: tuple[str, ...] = ()

    def best(self, select: Select = ("sharpe_ratio", "vwr"), n: int = 10) -> pl.DataFrame:
        """Return the `n` best distinct rows by metrics in order (larger is better; ``"-volatility"``: smaller)."""
        chosen = Selection.of(select)
        if chosen.kind != "order":
            raise SettingsError(f"best() sorts by metrics in order; got a selection by {chosen.kind}.")
        keys = [-pl.col(name[1:]) if name.startswith("-") else pl.col(name) for name in chosen.metrics]
        usable = self.table.unique(subset=list(self.space.names), keep="first", maintain_order=True)
        usable = usable.filter(pl.all_horizontal(key.is_not_null() & key.is_not_nan() for key in keys))
        return usable.sort(keys, descending=True, maintain_order=True).head(n)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Sweep({self.space.strategy.__name__}, {len(self):,} sets, {self.distinct:,} distinct)"

    def _repr_html_(self) -> str:
        best = Markup(self.best()._repr_html_())  # a frame, which escapes its cells
        return str(html("<p>{!r}; the best by (sharpe_ratio, vwr):</p>", self) + best)


def sweep(
    bars: Bars,
    strategy: Any,
    *,
    n: int = 10_000,
    sampler: str = "sobol",
    seed: int = 0,
    params: dict[str, Any] | None = None,
    space: dict[str, Any] | None = None,
    costs: Costs | None = None,
    sizing: Sizing | str = "percent:1.0",
    cash: float = 100_000.0,
    fill: Fill = "next_open",
    workers: int | None = None,
    executor: str | None = None,
    cancel: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sweep:
    """Evaluate many parameter sets of a strategy on the same bars.

    Parameters
    ----------
    bars : Bars
    strategy : str, type of Strategy or Strategy
    n : int
        Number of sets; ``sobol`` and ``random`` give exactly this many, ``grid`` at most. None of them breaks a
        constraint or needs a warm-up longer than half of the bars.
    sampler : {"sobol", "random", "grid"}
    seed : int
    params, space : dict, optional
        Fixed values, and ranges in place of the declared ones, as in `walk_forward`.
    workers : int, optional
        All cores where absent; the table does not depend on it.
    executor : {"serial", "threads", "processes"}, optional
        Whichever suits the work where absent.
    cancel : threading.Event, optional
        Set it to stop; `RunCancelled` follows.
    progress : callable, optional
        Called with the number of sets that were finished since the last call.

    Returns
    -------
    Sweep

    Raises
    ------
    SettingsError, ParameterError, StrategyError, RunCancelled
    """
    if not isinstance(bars, Bars):
        raise SettingsError(f"bars is a {type(bars).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise SettingsError(f"n={n!r} leaves nothing to evaluate; give a whole number of at least 1.")
    if sampler not in METHODS:
        raise SettingsError(
            f"sampler={sampler!r} is unknown; allowed: {', '.join(METHODS)}.{nearest(sampler, METHODS)}"
        )
    if executor is not None and executor not in KINDS:
        raise SettingsError(
            f"executor={executor!r} is unknown; allowed: {', '.join(KINDS)}.{nearest(str(executor), KINDS)}"
        )
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise SettingsError(f"workers={workers!r} is not a whole number of at least 1; leave it out for all cores.")
    check_seed(seed)
    cls, fixed = strategy_class(strategy, params)
    searched = Space(cls, fixed, space)
    columns = propose_all(searched, sampler, n, seed, bars=len(bars))
    rows, place = visits(columns)
    sets = list(searched.rows({name: column[rows] for name, column in columns.items()}))
    settings = {"costs": costs or Costs(), "sizing": Sizing.of(sizing), "cash": cash, "fill": fill}
    Simulator(bars, **settings)  # type: ignore[arg-type]  # refuses impossible settings before any work is done
    count = min(workers or os.cpu_count() or 1, len(sets))
    kind = executor or _suits(cls, bars, len(sets), count)
    stop = cancel or threading.Event()
    chunks = [sets[a:b] for a, b in _spans(len(sets), 1 if kind == "serial" else count)]
    book = _book(bars, cls, searched, {"n": int(n), "sampler": sampler, "seed": int(seed)}, settings)
    try:
        parts = _parts(kind, cls, bars, settings, chunks, count, stop, progress)
    except BaseException as error:
        for _, (measured, failures) in error.__dict__.pop("finished", []):
            left_unfinished(error, _counted(measured, failures))
        book.stopped(error)
        raise
    values = np.concatenate([part[0] for part in parts])[place]
    distinct = [error for part in parts for error in part[1]]
    errors = [distinct[k] for k in place]
    sharpes = _counted(values, errors)
    book.enter(sharpes, len(sharpes))
    book.close()
    failed = pl.Series(errors, dtype=pl.String)
    table = pl.DataFrame(
        {
            **searched.searched_table(columns),
            **{name: np.ascontiguousarray(values[:, k]) for k, name in enumerate(NAMES)},
            "error": failed,
        }
    )
    if failed.null_count() < len(failed):
        there = pl.col("error").is_null()
        table = table.with_columns(pl.when(there).then(pl.col(name)).alias(name) for name in NAMES)
    notes = [*left_out_note(searched, len(bars), "bars"), *failures_note(failed, len(failed), "sets"), *book.notes]
    return Sweep(table, searched, len(sets), tuple(notes))


def _counted(values: FloatArray, errors: Sequence[str | None]) -> FloatArray:
    """Sharpe ratios of the sets that did not fail."""
    kept: FloatArray = values[[error is None for error in errors], SHARPE]
    return kept


def _book(
    bars: Bars, cls: type[Strategy], searched: Space, proposal: dict[str, Any], settings: dict[str, Any]
) -> Recorder:
    """Recorder of the sets; an exact repetition has the same id in the ledger."""
    source = source_hash(cls)
    spec = {
        "strategy": cls.__name__, "source": source, "fingerprint": bars.fingerprint, "params": searched.fixed,
        "space": searched.to_dict(), **proposal, "costs": settings["costs"].to_dict(),
        "sizing": settings["sizing"].to_dict(), "cash": float(settings["cash"]), "fill": settings["fill"],
    }  # fmt: skip
    return Recorder(bars, "sweep", strategy=cls.__name__, source=source, run=run_id(spec))


def _parts(
    kind: str, cls: type[Strategy], bars: Bars, settings: dict[str, Any], chunks: Sequence[Any], count: int,
    stop: threading.Event, progress: Callable[[int], None] | None,
) -> list[tuple[FloatArray, list[str | None]]]:  # fmt: skip
    """Metrics and errors of each chunk; an interruption carries what was done until then."""
    if kind == "serial":
        return [_evaluate(cls, bars, settings, chunk, stop.is_set, progress) for chunk in chunks]
    if kind == "processes":
        return _in_processes(cls, bars, settings, chunks, count, stop, progress)
    with ThreadPoolExecutor(count) as pool:
        ended = threading.Event()
        futures = [
            pool.submit(_evaluate, cls, bars, settings, c, lambda: stop.is_set() or ended.is_set(), progress)
            for c in chunks
        ]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            ended.set()
            wait(futures)
            hand_on([future for future in futures if future.exception() is not error], error)
            error.__dict__["finished"] = list(enumerate(error.__dict__.get("finished", [])))
            raise


def _suits(cls: type[Strategy], bars: Bars, sets: int, workers: int) -> str:
    if workers == 1 or len(bars) * sets < _QUICK:
        return "serial"
    return "threads" if len(bars) >= _LONG else "processes"


def _spans(n: int, parts: int) -> list[tuple[int, int]]:
    edges = [n * k // parts for k in range(parts + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _evaluate(
    cls: type[Strategy],
    bars: Bars,
    settings: dict[str, Any],
    sets: Sequence[Parameters],
    cancelled: Callable[[], bool],
    progress: Callable[[int], None] | None,
) -> tuple[FloatArray, list[str | None]]:
    """Metrics of each set (a row of NaN where it failed) and the errors."""
    simulator = Simulator(bars, **settings)
    values = np.full((len(sets), len(NAMES)), np.nan)
    errors: list[str | None] = [None] * len(sets)
    reported = 0
    k = 0
    try:
        with using(ColumnCache()):
            for k, params in enumerate(sets):
                if cancelled():
                    raise RunCancelled(f"the sweep was cancelled after {k} of {len(sets)} sets of this worker.")
                try:
                    values[k] = simulator.metrics(cls(**params).evaluate(bars))
                except MaestroError as error:
                    errors[k] = str(error)
                except Exception as error:  # user code: whatever it raises is this set's failure
                    errors[k] = f"{type(error).__name__}: {error}"
                if progress is not None and (k - reported >= 100 or k == len(sets) - 1):
                    progress(k + 1 - reported)
                    reported = k + 1
    except BaseException as stop:
        left_unfinished(stop, _counted(values[:k], errors[:k]))
        raise
    return values, errors


def _in_processes(
    cls: type[Strategy], bars: Bars, settings: dict[str, Any], chunks: Sequence[Any], count: int,
    stop: threading.Event, progress: Callable[[int], None] | None,
) -> list[tuple[FloatArray, list[str | None]]]:  # fmt: skip
    # More pieces than workers, so that progress is shown; neighbours stay together for the column cache.
    pieces = [chunk[a:b] for chunk in chunks for a, b in _spans(len(chunk), max(1, min(8, len(chunk) // 500)))]
    return pooled(_piece, bars, [(cls, settings, piece) for piece in pieces], count, stop, progress)


def _piece(bars: Bars, cancelled: Callable[[], bool], cls: type[Strategy], settings: dict[str, Any], sets: Any) -> Any:
    return _evaluate(cls, bars, settings, sets, cancelled, None)
