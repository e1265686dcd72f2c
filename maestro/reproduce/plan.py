"""The plan of a recorded run and the run itself, built again from the specification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from maestro.bars import Bars
from maestro.engine import Costs, SimulationSettings, Sizing
from maestro.errors import MaestroError, RunError, SettingsError, StrategyError, nearest
from maestro.reproduce.recorded import Recorded
from maestro.runs import RunSpec, source_hash
from maestro.search.runner import METHODS
from maestro.search.space import Space
from maestro.strategies import REGISTRY, Strategy, strategy_class
from maestro.walkforward.plan import Plan
from maestro.walkforward.run import PreparedRun
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitter_text import recorded_splitter
from maestro.walkforward.splitters import Splitter, Window


def recorded_plan(wf: Recorded, strategy: Any = None) -> Plan:
    """Return the plan of a walk-forward's folds: the run's own while it is live, else built from its specification.

    Parameters
    ----------
    wf : WalkForward
    strategy : type of Strategy, optional
        The class, for a run with a user-defined strategy that was loaded from disk.

    Raises
    ------
    StrategyError
        The strategy is user-defined and was not given, or another one was given.
    RunError
        The source of the strategy is not that of the run.
    """
    if wf.plan is not None and strategy is None:
        return wf.plan
    cls = recorded_strategy(wf, strategy)
    if source_hash(cls) != wf.spec.source:
        raise RunError(
            f"{cls.__name__} is not the code of run {wf.id} (its source was {wf.spec.source[:12]}, here it is "
            f"{source_hash(cls)[:12]}); give the class as it was, or run the walk-forward again."
        )
    return _plan(wf.spec, cls, wf.spec.search, None)


def recorded_strategy(wf: Recorded, given: Any = None) -> type[Strategy]:
    """Return the class of a run's strategy: the one given, the run's own while it is live, or one found by name.

    Its source may have changed since; compare `source_hash` with ``wf.spec.source``.

    Raises
    ------
    StrategyError
        A user-defined one that was not given, or one of another name.
    """
    name = wf.spec.strategy
    if given is None and wf.plan is not None:
        return wf.plan.strategy
    if given is None and name not in REGISTRY:
        raise StrategyError(
            f"run {wf.id} was made with the user-defined strategy {name}, whose code is not on disk; give its class: "
            f"strategy={name} in Python (strategies={{{name!r}: {name}}} for several runs), "
            "--strategy file.py:ClassName in the shell."
        )
    cls, _ = strategy_class(name if given is None else given)
    if cls.__name__ != name:
        raise StrategyError(f"run {wf.id} was made with {name}, given is {cls.__name__}.")
    return cls


def strategies_of(given: Any, runs: Iterable[Recorded]) -> dict[str, Any]:
    """Return the user-defined strategies of several runs by name.

    Parameters
    ----------
    given : mapping of name to class, or None
    runs : iterable of WalkForward

    Raises
    ------
    SettingsError
        Not a mapping, or a name that none of the runs has.
    """
    if given is None:
        return {}
    known = sorted({wf.spec.strategy for wf in runs})
    if not isinstance(given, Mapping):
        raise SettingsError(
            f"strategies is {given!r}; give a mapping from names to classes. The runs have: {', '.join(known)}."
        )
    for name in given:
        if name not in known:
            raise SettingsError(
                f"strategies names {name!r}, which no run has; they have: {', '.join(known)}.{nearest(name, known)}"
            )
    return dict(given)


def repeated_run(
    spec: RunSpec, cls: type[Strategy], bars: Bars, search: Any = None, pruner: Any = None
) -> PreparedRun:  # fmt: skip
    """Return the walk-forward of a specification, ready to run again.

    Parameters
    ----------
    spec : RunSpec
    cls : type of Strategy
    bars : Bars
    search, pruner : optional
        The objects that the specification describes, if it does.
    """
    plan = _plan(spec, cls, spec.search if isinstance(spec.search, str) else search, pruner)
    windows = tuple(Window(*edges) for edges in spec.windows)
    try:
        splitter: Splitter = recorded_splitter(spec.splitter)
    except MaestroError:  # a user-defined one
        splitter = _AsRecorded(windows, spec.splitter.to_dict())
    return PreparedRun(
        bars, cls(**spec.first[0]) if spec.first else cls, splitter, plan.trials, plan.method, plan.seed,
        dict(spec.params), _ranges(spec), plan.costs, plan.sizing, plan.cash, plan.fill, plan.selection,
        spec.warm_start, pruner,
    )  # fmt: skip


@dataclass(frozen=True)
class _AsRecorded:
    """A user-defined splitter: its windows are in the specification."""

    windows: tuple[Window, ...]
    plain: Mapping[str, Any]

    def split(self, bars: Bars) -> list[Window]:
        return list(self.windows)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.plain)


def _plan(spec: RunSpec, cls: type[Strategy], method: Any, pruner: Any) -> Plan:
    space = Space(cls, spec.params, _ranges(spec))
    first = tuple(space.check({name: one[name] for name in space.names}) for one in spec.first)
    of = recorded_settings(spec)
    return Plan(
        cls, space, method, spec.trials, spec.seed, Selection.from_spec(spec.selection), of.costs, of.sizing, of.cash,
        of.fill, first, pruner,
    )  # fmt: skip


def recorded_settings(spec: RunSpec) -> SimulationSettings:
    """Return the costs, sizing, cash and fill of a specification."""
    return SimulationSettings(Costs(**asdict(spec.costs)), Sizing(**asdict(spec.sizing)), spec.cash, spec.fill)


def _ranges(spec: RunSpec) -> dict[str, Any]:
    return {name: one.to_dict() for name, one in spec.space.items()}


def repeatable(wf: Recorded, plan: Plan) -> str:
    """Return why the search of a run cannot be repeated from its plan; empty if it can."""
    if isinstance(plan.method, str) and plan.method in METHODS:
        return ""
    if wf.plan is not None and plan is wf.plan:
        return ""
    return "the search was a Python object, which is not on disk; repeat it while the run is live"


def windows_of(wf: Recorded) -> list[Window]:
    """Return the windows of the folds, as positions in the bars."""
    return [Window(*edges) for edges in wf.spec.windows]
