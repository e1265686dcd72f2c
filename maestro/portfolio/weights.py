"""Weights of sleeves: equal, inverse volatility, risk parity, HRP, given, or from any object with `fit`.

Every rule sees training returns alone. Sources: risk parity, S. Maillard, T. Roncalli, J. Teiletche, Journal of
Portfolio Management 36 (2010), doi:10.3905/jpm.2010.36.4.060; hierarchical risk parity, M. López de Prado, Journal of
Portfolio Management 42 (2016), doi:10.3905/jpm.2016.42.4.059.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maestro.errors import MissingExtraError, SettingsError, nearest
from maestro.typing import FloatArray

RULES = ("equal", "inverse_volatility", "risk_parity", "hrp")
_SMALL = 1e-14
"""Volatility below which a sleeve does not move."""


def weights(rule: Any, returns: FloatArray, names: Sequence[str]) -> FloatArray:
    """Weights of sleeves, at least 0, adding up to 1.

    A sleeve that never moved on the training bars has weight 0 under every rule that looks at risk; where none moved,
    all are equal.

    Parameters
    ----------
    rule : {"equal", "inverse_volatility", "risk_parity", "hrp"}, mapping of name to weight, or object with ``fit``
        An object is fitted on the returns of the sleeves that moved, one column each, and has ``weights_`` afterwards
        (skfolio's optimisers do).
    returns : float64[n, k]
        Training returns per bar.
    names : k names

    Raises
    ------
    SettingsError
        An unknown rule, a mapping with other names or weights, too few bars, or weights that are not usable.
    """
    k = len(names)
    if returns.ndim != 2 or returns.shape[1] != k:
        raise SettingsError(f"returns have shape {returns.shape}; give one column for each of {k} sleeves.")
    if not np.isfinite(returns).all():
        raise SettingsError("training returns hold values that are not finite.")
    if isinstance(rule, Mapping):
        return given_weights(rule, names)
    if rule == "equal":
        return np.full(k, 1.0 / k)
    if len(returns) < 3:
        raise SettingsError(f"{len(returns)} training returns are too few to measure risk; at least 3 are needed.")
    moving = returns.std(axis=0) > _SMALL
    if not moving.any():
        return np.full(k, 1.0 / k)
    out = np.zeros(k)
    part = returns[:, moving]
    if isinstance(rule, str):
        if rule not in RULES:
            raise SettingsError(
                f"weights={rule!r} is unknown; allowed: {', '.join(RULES)}, a mapping of names to weights, or an "
                f"object with fit().{nearest(rule, RULES)}"
            )
        found = {"inverse_volatility": inverse_volatility, "risk_parity": risk_parity, "hrp": hierarchical_risk_parity}
        out[moving] = found[rule](part) if part.shape[1] > 1 else 1.0
    elif hasattr(rule, "fit"):
        out[moving] = _fitted(rule, part)
    else:
        raise SettingsError(
            f"weights={rule!r} is not a rule; allowed: {', '.join(RULES)}, a mapping, or an object with fit()."
        )
    return out


def given_weights(rule: Mapping[str, float], names: Sequence[str]) -> FloatArray:
    """Weights by name; they may add up to less than 1, the rest is cash."""
    unknown = [name for name in rule if name not in names]
    if unknown:
        raise SettingsError(
            f"weights name {unknown[0]!r}, which is not a sleeve; the sleeves are: {', '.join(names[:10])}."
            + nearest(str(unknown[0]), names)
        )
    out = np.array([float(rule.get(name, 0.0)) for name in names])
    if not np.isfinite(out).all() or (out < 0).any() or not 0 < out.sum() <= 1 + 1e-12:
        raise SettingsError(f"weights add up to {out.sum():g}; give numbers of at least 0 that add up to at most 1.")
    return out


def inverse_volatility(returns: FloatArray) -> FloatArray:
    """Weights in proportion to 1 / standard deviation (ddof 1)."""
    inverse = 1.0 / returns.std(axis=0, ddof=1)
    found: FloatArray = inverse / inverse.sum()
    return found


def risk_parity(returns: FloatArray) -> FloatArray:
    """Weights whose contributions to the variance are equal, by cyclical coordinate descent.

    T. Griveau-Billion, J.-C. Richard, T. Roncalli, 2013, arXiv:1311.4057.
    """
    covariance = np.cov(returns, rowvar=False)
    # In units of each sleeve's own deviation, so that the tolerance fits any scale.
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    k = len(deviation)
    x = np.ones(k) / math.sqrt(k)
    budget = 1.0 / k
    for _ in range(10_000):
        before = x.copy()
        for i in range(k):
            rest = float(correlation[i] @ x) - x[i]
            x[i] = 0.5 * (-rest + math.sqrt(rest * rest + 4.0 * budget))
        if np.abs(x - before).max() < 1e-15 * k:
            break
    scaled = x / deviation
    found: FloatArray = scaled / scaled.sum()
    return found


def hierarchical_risk_parity(returns: FloatArray) -> FloatArray:
    """HRP: sleeves clustered by correlation (single linkage), variance split down the tree."""
    try:
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import squareform
    except ImportError as error:
        raise MissingExtraError("scipy", "validation") from error

    covariance = np.cov(returns, rowvar=False)
    deviation = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance / np.outer(deviation, deviation), -1.0, 1.0)
    distance = np.sqrt(0.5 * (1.0 - correlation))
    np.fill_diagonal(distance, 0.0)
    # Optimal leaf ordering, and of its two directions the one that begins at the calmer end: no order of the columns
    # changes the weights.
    order = leaves_list(linkage(squareform(distance, checks=False), "single", optimal_ordering=True))
    if deviation[order[0]] > deviation[order[-1]]:
        order = order[::-1]
    out = np.ones(len(order))
    clusters = [order]
    while clusters:
        halves = [half for c in clusters if len(c) > 1 for half in (c[: len(c) // 2], c[len(c) // 2 :])]
        for left, right in zip(halves[::2], halves[1::2], strict=True):
            low, high = (_cluster_variance(covariance, half) for half in (left, right))
            out[left] *= high / (low + high)
            out[right] *= low / (low + high)
        clusters = halves
    found: FloatArray = out / out.sum()
    return found


def _cluster_variance(covariance: FloatArray, members: Any) -> float:
    part = covariance[np.ix_(members, members)]
    inverse = 1.0 / np.diag(part)
    inverse /= inverse.sum()
    return float(inverse @ part @ inverse)


def _fitted(rule: Any, returns: FloatArray) -> FloatArray:
    """Weights of an object with `fit`, on a copy where it can be copied."""
    import copy

    model = copy.deepcopy(rule)
    model.fit(returns)
    found = np.asarray(getattr(model, "weights_", np.nan), np.float64).reshape(-1)
    if found.shape != (returns.shape[1],) or not np.isfinite(found).all():
        raise SettingsError(
            f"{type(rule).__name__} gave weights of shape {found.shape} for {returns.shape[1]} sleeves; after fit() "
            "it must have weights_, one finite number per column."
        )
    if (found < -1e-9).any() or found.sum() > 1 + 1e-9:
        raise SettingsError(
            f"{type(rule).__name__} gave weights from {found.min():g} that add up to {found.sum():g}; sleeves take "
            "weights of at least 0 that add up to at most 1."
        )
    return np.maximum(found, 0.0)
