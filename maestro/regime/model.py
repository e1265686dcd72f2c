"""Regimes: the settings of a model, its fit on a training window, and the states it gives to later bars."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from maestro.bars import Bars
from maestro.errors import SettingsError, nearest
from maestro.regime.features import FEATURES, feature_rows
from maestro.regime.hmm import fit_gaussian
from maestro.typing import FloatArray, IntArray

MODELS = ("hmm", "jump")
UNKNOWN = -1
"""State of a bar that no fit covers, or whose features are undefined."""


class FittedModel(Protocol):
    """A fitted model of any kind; states are sorted by variance, the calmest first."""

    @property
    def states(self) -> int:
        """Number of states."""
        ...

    def filter(self, features: FloatArray) -> FloatArray:
        """Probabilities, float64[n, k]; row t depends on rows up to t alone."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a record."""
        ...


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """Settings of a regime model.

    The model is fitted on training bars and then *filtered*: the state of a bar uses bars up to and including it,
    never later ones. States are numbers, sorted by variance: 0 is the calmest.

    Parameters
    ----------
    features : tuple of str
        ``"return"``, ``"volatility"``, ``"trend"``; see `maestro.regime.features`. Returns alone give states that
        agree best from one fit to the next.
    states : int
        2 by default; with 3 and more, fits agree less.
    window : int
        Bars of the rolling features (``volatility`` and ``trend``).
    model : {"hmm", "jump"}
        A Gaussian hidden Markov model, or a statistical jump model (``pip install "maestro-research[regimes]"``).
    penalty : float
        Cost of a change of state in the jump model; not used by ``"hmm"``.
    seed : int
    """

    features: tuple[str, ...] = ("return",)
    states: int = 2
    window: int = 20
    model: str = "hmm"
    penalty: float = 50.0
    seed: int = 0

    def __post_init__(self) -> None:
        given = (self.features,) if isinstance(self.features, str) else tuple(self.features)
        object.__setattr__(self, "features", given)
        for name in given:
            if name not in FEATURES:
                raise SettingsError(
                    f"Regimes: feature {name!r} is unknown; allowed: {', '.join(FEATURES)}."
                    + nearest(str(name), FEATURES)
                )
        if not given or len(set(given)) < len(given):
            raise SettingsError(f"Regimes: features={given!r}; give each of {', '.join(FEATURES)} at most once.")
        for name, low in (("states", 2), ("window", 2), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise SettingsError(f"Regimes: {name}={value!r} is not a whole number of at least {low}.")
        if self.model not in MODELS:
            raise SettingsError(
                f"Regimes: model={self.model!r} is unknown; allowed: {', '.join(MODELS)}.{nearest(self.model, MODELS)}"
            )
        if not 0 <= self.penalty < np.inf:
            raise SettingsError(f"Regimes: penalty={self.penalty!r} is not a number of at least 0.")

    def fit(self, bars: Bars) -> RegimeFit:
        """Fit on training bars.

        Raises
        ------
        SettingsError
            Too few bars for the model, or prices that never move.
        """
        rows = feature_rows(bars, self.features, self.window)
        if self.model == "hmm":
            fitted: FittedModel = fit_gaussian(rows, self.states, seed=self.seed)
        else:
            from maestro.regime.jump import fit_jump

            fitted = fit_jump(rows, self.states, penalty=self.penalty, seed=self.seed)
        return RegimeFit(self, fitted, bars.start, bars.end, len(bars))

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``Regimes(**values)`` gives equal settings."""
        return {**asdict(self), "features": list(self.features)}


@dataclass(frozen=True)
class RegimeFit:
    """A model fitted on one stretch of bars.

    Attributes
    ----------
    settings : Regimes
    model : FittedModel
    start, end : datetime
        Open of the first and last training bar, UTC.
    n : int
        Training bars.
    """

    settings: Regimes
    model: FittedModel
    start: datetime
    end: datetime
    n: int

    def probabilities(self, bars: Bars) -> FloatArray:
        """Filtered probability of each state at each bar, float64[n, k]; NaN before the features are defined.

        Give the training bars with what follows them: the filter begins at the first bar.
        """
        rows = feature_rows(bars, self.settings.features, self.settings.window)
        found = self.model.filter(rows)
        defined = ~np.isnan(rows).any(axis=1)
        found[: int(np.argmax(defined)) if defined.any() else len(found)] = np.nan
        return found

    def states(self, bars: Bars) -> IntArray:
        """Most probable state at each bar, `UNKNOWN` before the features are defined."""
        return most_probable(self.probabilities(bars))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a run's record: training window and parameters."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat(), "n": self.n, **self.model.to_dict()}


def most_probable(probabilities: FloatArray) -> IntArray:
    """State with the largest probability in each row, `UNKNOWN` where the row is NaN."""
    known = ~np.isnan(probabilities[:, 0])
    states = np.full(len(probabilities), UNKNOWN, np.int64)
    states[known] = probabilities[known].argmax(axis=1)
    return states


def agreement(first: RegimeFit, second: RegimeFit, bars: Bars) -> float:
    """Share of the bars to which two fits give the same state; NaN where neither is defined anywhere."""
    a, b = first.states(bars), second.states(bars)
    both = (a != UNKNOWN) & (b != UNKNOWN)
    return float((a[both] == b[both]).mean()) if both.any() else float("nan")
