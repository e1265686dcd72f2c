"""From a finished walk-forward back to what made it: its bars, and the plan of its folds."""

from __future__ import annotations

import ast
from typing import Any, Protocol

import polars as pl

from maestro.bars import Bars
from maestro.engine import Costs, Sizing
from maestro.errors import BarsError, RunError, SettingsError
from maestro.loading import load, load_sample, synthetic_bars
from maestro.runs import source_hash
from maestro.strategies import STRATEGIES, strategy_class
from maestro.walkforward.fold import Plan
from maestro.walkforward.search import METHODS
from maestro.walkforward.selection import Selection
from maestro.walkforward.space import Space
from maestro.walkforward.splitters import Window

_MAKERS: dict[str, Any] = {"load": load, "load_sample": load_sample, "synthetic_bars": synthetic_bars}
_CUTS = ("between", "resample")


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
    tree = ast.parse(wf.manifest.get("python") or "")
    lines = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bars"
    ]
    remedy = f"give the bars: ms.verdict(ms.load_run({wf.id!r}), bars)."
    if not lines or isinstance(lines[0], ast.Constant):
        raise RunError(f"run {wf.id} does not say where its bars ({wf.spec['bars']['name']}) came from; {remedy}")
    try:
        bars = _evaluate(lines[0])
    except (BarsError, ValueError, OSError) as error:
        raise RunError(f"the bars of run {wf.id} cannot be loaded again ({error}); {remedy}") from error
    bars.periods_per_year = float(wf.spec["periods_per_year"])
    return bars


def _evaluate(node: ast.expr) -> Bars:
    """Value of an expression like ``ms.load('X', start='2020')[10:90].resample('4h')``, and of nothing else."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        edges = [None if edge is None else int(ast.literal_eval(edge)) for edge in (node.slice.lower, node.slice.upper)]
        return _evaluate(node.value)[edges[0] : edges[1]]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        args = [ast.literal_eval(arg) for arg in node.args]
        named = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
        owner, name = node.func.value, node.func.attr
        if isinstance(owner, ast.Name) and owner.id == "ms" and name in _MAKERS:
            made: Bars = _MAKERS[name](*args, **named)
            return made
        if name in _CUTS:
            cut: Bars = getattr(_evaluate(owner), name)(*args, **named)
            return cut
    raise ValueError(f"{ast.unparse(node)} is no way of loading bars")


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
    if strategy is None and spec["strategy"] not in STRATEGIES:
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
