"""Selection of a fold's trial: by metrics in order, a weighted sum, an average rank, or the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from maestro.errors import SettingsError, nearest
from maestro.metrics import NAMES
from maestro.runs.spec import SelectionSpec
from maestro.search.trials import Trial, round_score
from maestro.typing import BoolArray, FloatArray

Kind: TypeAlias = Literal["order", "weighted", "rank_average", "pareto"]
KINDS = ("order", "weighted", "rank_average", "pareto")
Select: TypeAlias = "Selection | str | Sequence[str] | Mapping[str, float]"


@dataclass(frozen=True)
class Selection:
    """The rule that chooses among complete trials.

    A metric counts the larger the better; ``"-volatility"`` counts the smaller the better. Values are rounded to 12
    significant digits first, and the earlier trial wins a tie.

    Parameters
    ----------
    metrics : tuple of str
    kind : {"order", "weighted", "rank_average", "pareto"}
        ``order``: by the first metric, ties by the second, and so on. ``weighted``: largest sum of `weights` times
        metrics. ``rank_average``: best mean rank. ``pareto``: of the trials on the Pareto front, the one
        with the best mean rank.
    weights : tuple of float, for ``weighted``
    """

    metrics: tuple[str, ...] = ("sharpe_ratio", "vwr")
    kind: Kind = "order"
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"selection {self.kind!r} is unknown; allowed: {', '.join(KINDS)}.")
        if not self.metrics:
            raise SettingsError("a selection without a metric; give at least one, like ('sharpe_ratio', 'vwr').")
        for name in self.metrics:
            known = str(name).removeprefix("-")
            if known not in NAMES:
                raise SettingsError(
                    f"no metric is called {name!r}; there are: {', '.join(NAMES)}.{nearest(known, NAMES)}"
                )
        if self.kind == "weighted" and len(self.weights) != len(self.metrics):
            raise SettingsError(f"{len(self.weights)} weights for {len(self.metrics)} metrics; give one each.")
        for name, weight in zip(self.metrics, self.weights, strict=False):
            if not math.isfinite(_number(name, weight)):
                raise SettingsError(f"the weight of {name!r} is {weight!r}; give a finite number.")
        if self.weights and not any(self.weights):
            raise SettingsError("all weights are 0, so that every trial has the same score; give one that is not 0.")
        if len(set(self.metrics)) < len(self.metrics):
            twice = next(name for name in self.metrics if self.metrics.count(name) > 1)
            raise SettingsError(f"{twice!r} occurs more than once in a selection; give each metric once.")

    @cached_property
    def _index(self) -> int:
        return NAMES.index(self.metrics[0].removeprefix("-"))

    @cached_property
    def _sign(self) -> int:
        return -1 if self.metrics[0].startswith("-") else 1

    @classmethod
    def of(cls, given: Select) -> Selection:
        """Make a selection from names in order, a mapping of weights, a selection, or a text.

        Texts: ``"sharpe_ratio,vwr"`` (in order), ``"pareto:sharpe_ratio,-volatility"``,
        ``"rank_average:sharpe_ratio,vwr"``, ``"weighted:sharpe_ratio=0.7,max_drawdown=0.3"``.

        Raises
        ------
        SettingsError
            An unknown kind or metric, or a weight that is not a number.
        """
        if isinstance(given, Selection):
            return given
        if isinstance(given, str):
            return cls._of_text(given)
        if isinstance(given, Mapping):
            return cls(tuple(given), "weighted", tuple(_number(name, weight) for name, weight in given.items()))
        if not isinstance(given, Sequence):
            raise SettingsError(
                f"select={given!r} is not a selection; give a metric's name, names in order, a mapping of weights, or "
                "a maestro.walkforward.Selection."
            )
        return cls(tuple(given))

    @classmethod
    def _of_text(cls, text: str) -> Selection:
        kind, colon, rest = text.partition(":")
        if colon and kind.strip() not in KINDS:
            known = f"{', '.join(KINDS)}.{nearest(kind, KINDS)}"
            raise SettingsError(f"select={text!r}: {kind!r} is not a kind of selection; allowed: {known}")
        names = [name.strip() for name in (rest if colon else text).split(",")]
        if not colon or kind.strip() != "weighted":
            return cls(tuple(names), kind.strip() if colon else "order")  # type: ignore[arg-type]
        weights = []
        for name, _, value in (one.partition("=") for one in names):
            try:
                weights.append((name.strip(), float(value)))
            except ValueError:
                raise SettingsError(
                    f"select={text!r}: {name!r} has no weight; write weighted:sharpe_ratio=0.7,max_drawdown=0.3."
                ) from None
        metrics, values = zip(*weights, strict=True)
        return cls(metrics, "weighted", values)

    @property
    def text(self) -> str:
        """As `of` understands it."""
        if self.kind != "weighted":
            return f"{'' if self.kind == 'order' else f'{self.kind}:'}{','.join(self.metrics)}"
        pairs = zip(self.metrics, self.weights, strict=True)
        return f"weighted:{','.join(f'{name}={weight!r}' for name, weight in pairs)}"

    @property
    def score_name(self) -> str:
        """Metric (or sum) that a search maximises."""
        return self.metrics[0]

    def score(self, metrics: FloatArray) -> float:
        """Return the number that a search maximises: the first metric, or the weighted sum."""
        if self.kind == "weighted":
            return float(np.dot(self._values(metrics), self.weights))
        return float(self._sign * metrics[self._index])

    def choose(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the chosen trial, None where no trial is complete."""
        usable = [t for t in trials if t.state == "complete" and t.metrics is not None]
        if not usable:
            return None
        if self.kind in ("order", "weighted"):  # the score is the first metric or the sum, and already rounded
            best = max(t.score for t in usable)
            usable = [t for t in usable if t.score == best]
        if self.kind == "weighted" or len(usable) == 1:
            return usable[0]
        table = np.array([[round_score(v) for v in self._values(t.metrics)] for t in usable])  # type: ignore[arg-type]
        table[np.isnan(table)] = -math.inf  # undefined ranks last
        if self.kind == "order":
            return usable[min(range(len(usable)), key=lambda i: (*(-table[i]), i))]
        ranks = np.column_stack([np.unique(-column, return_inverse=True)[1] for column in table.T]).mean(axis=1)
        if self.kind == "pareto":
            ranks = np.where(pareto_front(table), ranks, math.inf)
        return usable[int(np.argmin(ranks))]

    def _values(self, metrics: FloatArray) -> list[float]:
        return [
            -float(metrics[NAMES.index(name[1:])]) if name.startswith("-") else float(metrics[NAMES.index(name)])
            for name in self.metrics
        ]

    def spec(self) -> SelectionSpec:
        """Return the selection as a run's specification has it."""
        return SelectionSpec(self.kind, tuple(self.metrics), tuple(self.weights))

    @classmethod
    def from_spec(cls, spec: SelectionSpec) -> Selection:
        """Return the selection of a run's specification."""
        return cls(spec.metrics, spec.kind, spec.weights)


def pareto_front(table: FloatArray) -> BoolArray:
    """Whether no other row of a table is at least as good in every column and better in one; larger is better."""
    return np.array(
        [not ((table >= row).all(axis=1) & (table > row).any(axis=1)).any() for row in table], dtype=np.bool_
    )


def _number(name: str, weight: Any) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise SettingsError(f"the weight of {name!r} is {weight!r}; give a finite number.") from None
