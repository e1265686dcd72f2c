"""The plan of a recorded run: live, or built again from its specification."""

from __future__ import annotations

from typing import Any

from maestro.engine import Costs, Sizing
from maestro.errors import RunError
from maestro.reproduce.recorded import Recorded
from maestro.runs import source_hash
from maestro.search.runner import METHODS
from maestro.search.space import Space
from maestro.strategies import REGISTRY, strategy_class
from maestro.walkforward.fold import Plan
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitters import Window


def recorded_plan(wf: Recorded, strategy: Any = None) -> Plan:
    """Return the plan of a walk-forward's folds: the run's own while it is live, else built from its specification.

    Parameters
    ----------
    wf : WalkForward
    strategy : type of Strategy, optional
        The class, for a run with a strategy that is not built in and that was loaded from disk.

    Raises
    ------
    RunError
        The strategy is user-defined and was not given, or its source is not that of the run.
    """
    if wf.plan is not None and strategy is None:
        return wf.plan
    spec = wf.spec
    if strategy is None and spec["strategy"] not in REGISTRY:
        raise RunError(
            f"{spec['strategy']} is not a built-in strategy, and run {wf.id} was loaded from disk without its code; "
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
    """Return why the search of a run cannot be repeated from its plan; empty if it can."""
    if isinstance(plan.method, str) and plan.method in METHODS:
        return ""
    if wf.plan is not None and plan is wf.plan:
        return ""
    return "the search was a Python object, which is not on disk; repeat it while the run is live"


def windows_of(wf: Recorded) -> list[Window]:
    """Return the windows of the folds, as positions in the bars."""
    return [Window(*edges) for edges in wf.spec["windows"]]
