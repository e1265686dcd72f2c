"""The interface of a recorded run that can be repeated: `Recorded`."""

from __future__ import annotations

from typing import Any, Protocol

import polars as pl

from maestro.bars import Bars
from maestro.runs import RunSpec
from maestro.walkforward.plan import Plan


class Recorded(Protocol):
    """A walk-forward, live or loaded; `maestro.WalkForward` is one."""

    spec: RunSpec
    manifest: dict[str, Any]
    folds: pl.DataFrame
    trials: pl.DataFrame
    equity: pl.DataFrame
    trades: pl.DataFrame
    id: str
    bars: Bars | None
    plan: Plan | None
