"""A search whose best parameters are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro import metrics as m
from maestro.errors import MissingSeriesError
from maestro.search.space import Space
from maestro.search.trials import Trial
from maestro.strategies.base import Strategy
from maestro.strategies.parameters import Constraint, Float, Int


class Cross(Strategy):
    fast = Int(50, 5, 100)
    slow = Int(100, 20, 200)
    share = Float(0.5, 0.1, 0.9, search=False)
    constraints = (Constraint("fast < slow", lambda p: p.fast < p.slow),)


SPACE = Space(Cross)


def vector(sharpe: float, **others: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    metrics = np.arange(len(m.NAMES), dtype=np.float64)
    metrics[m.SHARPE] = sharpe
    for name, value in others.items():
        metrics[m.NAMES.index(name)] = value
    return metrics


def bowl(params: dict[str, Any]) -> Any:
    return vector(-((params["fast"] - 23) ** 2) / 100 - (params["slow"] - 77) ** 2 / 1000)


def summary(trials: list[Trial]) -> list[Any]:
    return [(t.number, t.params, t.state, t.error, t.score) for t in trials if t.score == t.score] + [
        (t.number, t.params, t.state, t.error) for t in trials if t.score != t.score
    ]


def troubled(params: dict[str, Any]) -> Any:
    match params["fast"] % 5:
        case 0:
            raise MissingSeriesError("funding_rate is not there")
        case 1:
            raise ZeroDivisionError("division by zero")
        case 2:
            return vector(math.nan, total_return=0.0)
        case _:
            return bowl(params)
