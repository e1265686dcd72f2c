"""From a run on disk to the settings with which the Walk-forward app shows or resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.apps.shared.access import refuse_data
from maestro.apps.shared.strategy_files import FILES
from maestro.bars.source_line import named, written
from maestro.engine import Sizing
from maestro.errors import MaestroError, RunError
from maestro.runs import RunSpec, RunStore
from maestro.runs.identity import source_hash
from maestro.runs.store import spec_of
from maestro.search.space import Space
from maestro.strategies import Strategy, by_name
from maestro.walkforward.selection import Selection
from maestro.walkforward.splitter_text import recorded_splitter, splitter_text


def settings_of_run(folder: Path) -> dict[str, Any]:
    """Settings of the Walk-forward app that give a run.

    Raises
    ------
    MaestroError
        The app has no controls for something in it, such as an Optuna sampler, or its strategy is not at hand.
    """
    manifest = RunStore(folder).manifest()
    spec = spec_of(manifest)
    series = named(written(manifest))
    if not series:
        raise RunError("its bars were not loaded by one call of ms.load")
    if refusal := refuse_data(str(series["data"])):
        raise RunError(refusal.rstrip("."))
    if not isinstance(spec.search, str) or spec.pruner is not None or spec.first or spec.warm_start:
        raise RunError("the app has no controls for its search")
    rule, cls = _strategy(spec)
    usual = Space(cls, dict(spec.params)).to_dict()["search"]
    space = {name: one.to_dict() for name, one in spec.space.items() if one.to_dict() != usual.get(name)}
    sizing = spec.sizing
    return {
        **series, "strategy": rule, "params": dict(spec.params), "space": space, "fee": spec.costs.fee,
        "slippage": spec.costs.slippage, "sizing": Sizing(sizing.kind, sizing.value, sizing.max_exposure).text,
        "cash": spec.cash, "fill": spec.fill, "splitter": splitter_text(recorded_splitter(spec.splitter)),
        "search": spec.search, "trials": spec.trials, "seed": spec.seed,
        "select": Selection.from_spec(spec.selection).text, "runs_dir": str(folder.parent),
    }  # fmt: skip


def _strategy(spec: RunSpec) -> tuple[str, type[Strategy]]:
    """Name in the app, and class, of a run's strategy: of the server's files the one with its source, or built in."""
    for name in FILES.names():
        if name.endswith(f":{spec.strategy}") and source_hash(cls := FILES.get(name)) == spec.source:
            return name, cls
    try:
        cls = by_name(spec.strategy)
    except MaestroError:
        raise RunError(
            f"its strategy {spec.strategy} is user-defined; start the apps with its file (maestro app --strategy FILE)"
        ) from None
    return spec.strategy, cls
