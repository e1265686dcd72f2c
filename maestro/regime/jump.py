"""Statistical jump model, by the library `jumpmodels`: hard states with a cost of change. The one home of that library.

Source: P. Nystrup, P. Kolm, E. Lindström, "Greedy online classification of persistent market states using realized
intraday volatility features", Journal of Financial Data Science 2 (2020), doi:10.3905/jfds.2020.2.3.025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maestro._core.quiet import ignored
from maestro.errors import MissingExtraError, SettingsError
from maestro.typing import FloatArray


@dataclass(frozen=True)
class JumpStates:
    """A fitted jump model; states are sorted by the variance of their rows, the calmest first.

    Attributes
    ----------
    centers : float64[k, d]
        Mean features of each state, in the features' own units.
    variances : float64[k, d]
    penalty : float
    """

    centers: FloatArray
    variances: FloatArray
    penalty: float
    _model: Any
    _order: Any
    _centre: FloatArray
    _scale: FloatArray

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.centers)

    def filter(self, features: FloatArray) -> FloatArray:
        """1 for the state found with the rows up to each row, else 0, float64[n, k]; a row with NaN keeps the last."""
        known = ~np.isnan(features).any(axis=1)
        out = np.zeros((len(features), self.states))
        if known.any():
            with ignored():  # deprecations inside the library
                found = np.asarray(self._model.predict_proba_online((features[known] - self._centre) / self._scale))
            last = np.maximum.accumulate(np.where(known, np.cumsum(known) - 1, 0))
            out = found[last][:, self._order]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a run's record."""
        return {"means": self.centers.tolist(), "variances": self.variances.tolist(), "penalty": self.penalty}


def fit_jump(features: FloatArray, states: int, *, penalty: float, seed: int) -> JumpStates:
    """Fit a jump model on rows of features; rows with NaN are left out.

    Raises
    ------
    MissingExtraError
        The library is not installed.
    SettingsError
        Too few rows, or a state that no row has.
    """
    try:
        from jumpmodels.jump import JumpModel
    except ImportError as error:
        raise MissingExtraError("jumpmodels", "regimes") from error

    rows = features[~np.isnan(features).any(axis=1)]
    if len(rows) < 10 * states * (rows.shape[1] + 1):
        raise SettingsError(f"{len(rows)} rows are too few to fit {states} states; give more training bars.")
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    if not (scale > 0).all():
        raise SettingsError(f"feature {int(np.argmin(scale))} is constant over all {len(rows)} rows; leave it out.")
    with ignored():
        model = JumpModel(n_components=states, jump_penalty=penalty, random_state=seed).fit((rows - centre) / scale)
    labels = np.asarray(model.labels_, np.int64)
    if len(np.unique(labels)) < states:
        raise SettingsError(
            f"the jump model with penalty={penalty:g} uses {len(np.unique(labels))} of {states} states; give a smaller "
            "penalty or more training bars."
        )
    variances = np.stack([rows[labels == k].var(axis=0) for k in range(states)])
    order = np.argsort((variances / scale**2).sum(axis=1), kind="stable")
    centers = np.stack([rows[labels == k].mean(axis=0) for k in range(states)])
    return JumpStates(centers[order], variances[order], penalty, model, order, centre, scale)
