"""The specification of a walk-forward, from the objects that it runs with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from maestro.bars import Bars
from maestro.errors import SettingsError
from maestro.runs import RunSpec, describe, source_hash
from maestro.runs.identity import canonical
from maestro.runs.spec import BarsSpec, CostsSpec, SizingSpec, SplitterSpec
from maestro.search.dimensions import Dimension
from maestro.search.space import Space
from maestro.walkforward.plan import Plan
from maestro.walkforward.splitters import Splitter, Window


def run_spec(plan: Plan, bars: Bars, splitter: Splitter, windows: Sequence[Window], *, warm_start: bool) -> RunSpec:
    """Return the specification of a walk-forward: everything that determines its result.

    Raises
    ------
    SettingsError
        A user-defined splitter describes itself with values that JSON cannot hold.
    """
    return RunSpec(
        strategy=plan.strategy.__name__,
        source=source_hash(plan.strategy),
        params=plan.space.written(plan.space.fixed),
        space=recorded_space(plan.space),
        splitter=_splitter(splitter),
        windows=tuple((w.train_start, w.train_stop, w.test_start, w.test_stop) for w in windows),
        search=plan.method if isinstance(plan.method, str) else describe(plan.method),
        pruner=None if plan.pruner is None else describe(plan.pruner),
        trials=plan.trials,
        selection=plan.selection.spec(),
        first=tuple(plan.space.written(params) for params in plan.first),
        warm_start=warm_start,
        costs=CostsSpec(**plan.costs.to_dict()),
        sizing=SizingSpec(**plan.sizing.to_dict()),
        cash=plan.cash,
        fill=plan.fill,
        seed=plan.seed,
        periods_per_year=bars.periods_per_year,
        bars=BarsSpec.of(bars),
    )


def recorded_space(space: Space) -> dict[str, Dimension]:
    """Return the searched ranges as a specification has them: options in the form in which JSON holds them."""
    return {d.name: Dimension.from_dict(d.name, d.to_dict()) for d in space.dimensions}


def _splitter(splitter: Any) -> SplitterSpec:
    """Return a splitter's class and settings; a user-defined one needs no `to_dict`, because windows are recorded."""
    kind = type(splitter).__name__
    if not hasattr(splitter, "to_dict"):
        return SplitterSpec(kind, describe(splitter).settings)
    try:
        settings = json.loads(canonical(splitter.to_dict()))
        return SplitterSpec(settings.pop("kind", kind), settings)
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"{kind}.to_dict() does not return a dictionary of what JSON can hold ({error}); return plain numbers, "
            "texts and lists by name."
        ) from error
