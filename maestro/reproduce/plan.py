"""From a finished walk-forward back to what made it: its bars, and the plan of its folds."""

from __future__ import annotations

from typing import Any, Protocol

import polars as pl

from maestro.bars import Bars
from maestro.bars.source_line import evaluate, written
from maestro.engine import Costs, Sizing
from maestro.errors import BarsError, MaestroError, RunError, SettingsError
from maestro.runs import source_hash
from maestro.search.runner import METHODS
from maestro.search.space import Space
from maestro.strategies import REGISTRY, strategy_class
from maestro.walkforward.fold import Plan
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitters import Window


class Recorded(Protocol):
    """A walk-forward, live or loaded; `maestro.WalkForward` is one."""

    spec: dict[str, Any]
    manifest: dict[str, Any]
    folds: pl.DataFrame
    trials: pl.DataFrame
    equity: pl.DataFrame
    trades: pl.DataFrame
    id: str
    bars: Bars | None
    plan: Plan | None


def recorded_bars(wf: Recorded, bars: Bars | None = None) -> Bars:
    """Bars of a walk-forward: those given, the run's own while it is live, else loaded again by their name.

    Raises
    ------
    BarsError
        They are not the bars of the run, by their fingerprint.
    RunError
        The run does not say where its bars came from, or they cannot be loaded from there.
    """
    wanted = wf.spec["bars"]
    found = bars if bars is not None else wf.bars
    if found is None:
        found = _loaded_again(wf)
    if not isinstance(found, Bars):
        raise SettingsError(f"bars is a {type(found).__name__}; give ms.Bars (ms.load, ms.Bars.from_frame).")
    if found.fingerprint != wanted["fingerprint"]:
        raise BarsError(
            f"these are not the bars of run {wf.id}: it ran on {wanted['name']}, {wanted['n']:,} bars from "
            f"{wanted['start']} with fingerprint {wanted['fingerprint'][:16]}, here are {len(found):,} bars with "
            f"{found.fingerprint[:16]}; give the same bars, or run again on these."
        )
    return found


def _loaded_again(wf: Recorded) -> Bars:
    line = written(wf.manifest)
    remedy = f"give the bars: ms.verdict(ms.load_run({wf.id!r}), bars)."
    if not line:
        raise RunError(f"run {wf.id} does not say where its bars ({wf.spec['bars']['name']}) came from; {remedy}")
    try:
        bars = evaluate(line)
    except (MaestroError, OSError, TypeError, ValueError) as error:
        raise RunError(f"the bars of run {wf.id} cannot be loaded again ({error}); {remedy}") from error
    if bars is None:
        raise RunError(f"{line}, which gave the bars of run {wf.id}, is no way of loading bars; {remedy}")
    bars.periods_per_year = float(wf.spec["periods_per_year"])
    return bars


def recorded_plan(wf: Recorded, strategy: Any = None) -> Plan:
    """Plan of a walk-forward's folds: the run's own while it is live, else put together from its spec.

    Parameters
    ----------
    wf : WalkForward
    strategy : type of Strategy, optional
        The class, for a run with a strategy that is not built in and that was loaded from disk.

    Raises
    ------
    RunError
        The strategy is not at hand, its source is another one than the run's, or the search was an object.
    """
    if wf.plan is not None and strategy is None:
        return wf.plan
    spec = wf.spec
    if strategy is None and spec["strategy"] not in REGISTRY:
        raise RunError(
            f"{spec['strategy']} is not a built-in strategy and run {wf.id} was loaded from disk, where no code is; "
            f"give its class: strategy={spec['strategy']}."
        )
    cls, _ = strategy_class(spec["strategy"] if strategy is None else strategy)
    if source_hash(cls) != spec["source"]:
        raise RunError(
            f"{cls.__name__} is not the code of run {wf.id} (its source was {spec['source'][:12]}, here it is "
            f"{source_hash(cls)[:12]}); give the class as it was, or run the walk-forward again."
        )
    space, chosen = spec["space"], spec["selection"]
    selection = Selection(tuple(chosen["metrics"]), chosen["kind"], tuple(chosen["weights"]))
    return Plan(
        cls, Space(cls, spec["params"], space["search"]), spec["search"], spec["trials"], spec["seed"], selection,
        Costs(**spec["costs"]), Sizing(**spec["sizing"]), spec["cash"], spec["fill"], tuple(spec["first"]),
    )  # fmt: skip


def repeatable(wf: Recorded, plan: Plan) -> str:
    """Why the search of a run cannot be repeated from its plan; empty where it can."""
    if isinstance(plan.method, str) and plan.method in METHODS:
        return ""
    if wf.plan is not None and plan is wf.plan:
        return ""
    return "the search was an object of Python, which is not on disk; repeat it on the run while it is live"


def windows_of(wf: Recorded) -> list[Window]:
    """Windows of the folds, as positions in the bars."""
    return [Window(*edges) for edges in wf.spec["windows"]]
