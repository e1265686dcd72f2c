"""Gaussian hidden Markov model: compiled filter, likelihood and EM, on rows of features.

Notation as in L. Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE 77 (1989),
doi:10.1109/5.18626. The *filtered* probability of a state at row t uses rows up to and including t; smoothed
probabilities use the future and are computed inside the fit only, never returned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maestro._core.compiled import njit
from maestro.errors import SettingsError
from maestro.typing import FloatArray

VARIANCE_FLOOR = 1e-6
"""Smallest variance of a state along any axis, as a share of the features' overall variance."""
_TOLERANCE = 1e-9
"""EM stops when an iteration raises the log-likelihood per row by less."""
_LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Gaussian:
    """Parameters of a fitted model; states are sorted by variance, the calmest first.

    Attributes
    ----------
    start : float64[k]
        Probability of each state at the first row.
    transition : float64[k, k]
        Probability of state j after state i, rows add up to 1.
    means : float64[k, d]
    covariances : float64[k, d, d]
    log_likelihood : float
        Of the rows that were fitted.
    iterations : int
        EM iterations of the best start.
    converged : bool
    """

    start: FloatArray
    transition: FloatArray
    means: FloatArray
    covariances: FloatArray
    log_likelihood: float = math.nan
    iterations: int = 0
    converged: bool = True
    _inverse: FloatArray = field(init=False, repr=False, compare=False)
    _constant: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        roots = np.linalg.cholesky(self.covariances)
        inverse = np.linalg.inv(roots)
        diagonals = np.diagonal(roots, axis1=1, axis2=2)
        constant = -0.5 * self.means.shape[1] * _LOG_2PI - np.log(diagonals).sum(axis=1)
        object.__setattr__(self, "_inverse", np.ascontiguousarray(inverse))
        object.__setattr__(self, "_constant", np.ascontiguousarray(constant))

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.start)

    @property
    def durations(self) -> FloatArray:
        """Expected number of rows that each state lasts, 1 / (1 - p_ii)."""
        with np.errstate(divide="ignore"):
            found: FloatArray = 1.0 / (1.0 - np.diagonal(self.transition))
        return found

    def filter(self, features: FloatArray) -> FloatArray:
        """Filtered probabilities, float64[n, k]; row t depends on rows up to t alone, to the bit.

        A row with NaN carries no information: its probabilities are those predicted from the row before.
        """
        out = np.empty((len(features), self.states))
        _filter(np.ascontiguousarray(features), self.start, self.transition, self.means, self._inverse,
                self._constant, out)  # fmt: skip
        return out

    def score(self, features: FloatArray) -> float:
        """Log-likelihood of rows."""
        out = np.empty((len(features), self.states))
        return float(_filter(np.ascontiguousarray(features), self.start, self.transition, self.means, self._inverse,
                             self._constant, out))  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a run's record."""
        return {
            "start": self.start.tolist(),
            "transition": self.transition.tolist(),
            "means": self.means.tolist(),
            "covariances": self.covariances.tolist(),
            "log_likelihood": self.log_likelihood,
            "iterations": self.iterations,
            "converged": self.converged,
        }


def fit_gaussian(
    features: FloatArray, states: int = 2, *, seed: int = 0, starts: int = 4, max_iterations: int = 300
) -> Gaussian:
    """Fit by EM (Baum-Welch) from several starts; the best log-likelihood wins.

    Parameters
    ----------
    features : float64[n, d]
        One row per bar; rows with NaN are left out.
    states : int
        At least 2.
    seed : int
        Of the starts after the first, which splits the rows by their squared distance from the mean.
    starts : int
    max_iterations : int
        Of each start.

    Returns
    -------
    Gaussian
        The same for the same arguments on any number of threads.

    Raises
    ------
    SettingsError
        Too few rows for the number of states, a constant feature, or values that are not finite.
    """
    rows = np.ascontiguousarray(features, np.float64)
    if rows.ndim != 2:
        raise SettingsError(f"features have shape {rows.shape}; give one row per bar and one column per feature.")
    if isinstance(states, bool) or not isinstance(states, (int, np.integer)) or states < 2:
        raise SettingsError(f"states={states!r} is not a whole number of at least 2.")
    rows = rows[~np.isnan(rows).any(axis=1)]
    if not np.isfinite(rows).all():
        raise SettingsError("features hold infinite values; a price of 0 or a division by 0 gives them.")
    n, d = rows.shape
    needed = 10 * states * (d + 1)
    if n < needed:
        raise SettingsError(
            f"{n} rows are too few to fit {states} states to {d} feature{'s' if d > 1 else ''}; give at least {needed}."
        )
    spread = rows.var(axis=0)
    if not (spread > 0).all():
        raise SettingsError(f"feature {int(np.argmin(spread))} is constant over all {n} rows; leave it out.")
    # Work on standardised rows, so that one floor fits features of any unit.
    centre, scale = rows.mean(axis=0), np.sqrt(spread)
    z = np.ascontiguousarray((rows - centre) / scale)
    rng = np.random.default_rng(np.random.SeedSequence([seed, states]))
    best: tuple[float, Any] | None = None
    for attempt in range(starts):
        parameters = _first_guess(z, states, None if attempt == 0 else rng)
        start, transition, means, covariances = parameters
        found, iterations, converged = _em(
            z, start, transition, means, covariances, VARIANCE_FLOOR, _TOLERANCE * n, max_iterations
        )
        if math.isfinite(found) and (best is None or found > best[0] + 1e-9 * n):
            best = (found, (*parameters, iterations, converged))
    if best is None:
        raise SettingsError("the model could not be fitted from any start; give other features or fewer states.")
    log_likelihood, (start, transition, means, covariances, iterations, converged) = best
    order = np.argsort(np.linalg.slogdet(covariances)[1], kind="stable")
    return Gaussian(
        start=start[order],
        transition=np.ascontiguousarray(transition[order][:, order]),
        means=means[order] * scale + centre,
        covariances=covariances[order] * np.outer(scale, scale),
        log_likelihood=float(log_likelihood - n * np.log(scale).sum()),
        iterations=int(iterations),
        converged=bool(converged),
    )


def _first_guess(z: FloatArray, states: int, rng: np.random.Generator | None) -> tuple[FloatArray, ...]:
    """Start of EM: rows split into bands of their distance from the mean, or around random rows."""
    n, d = z.shape
    if rng is None:
        distance = (z * z).sum(axis=1)
        rank = np.empty(n, np.int64)
        rank[np.argsort(distance, kind="stable")] = np.arange(n)
        label = rank * states // n
        means = np.stack([z[label == k].mean(axis=0) for k in range(states)])
        covariances = np.stack([np.cov(z[label == k], rowvar=False, bias=True).reshape(d, d) for k in range(states)])
    else:
        means = z[rng.choice(n, states, replace=False)].copy()
        size = np.exp(rng.normal(0.0, 0.7, states))
        covariances = np.stack([np.eye(d) * s for s in size])
    covariances = covariances + np.eye(d) * 1e-3
    stay = 0.95 if rng is None else float(rng.uniform(0.6, 0.99))
    transition = np.full((states, states), (1.0 - stay) / (states - 1))
    np.fill_diagonal(transition, stay)
    return np.full(states, 1.0 / states), transition, np.ascontiguousarray(means), np.ascontiguousarray(covariances)


@njit(cache=True, nogil=True, borrows=True)
def _log_densities(row: Any, means: Any, inverse: Any, constant: Any, out: Any) -> bool:
    """Log density of one row in each state; False where the row holds NaN."""
    k, d = means.shape
    for a in range(d):
        if np.isnan(row[a]):
            return False
    for s in range(k):
        squared = 0.0
        for a in range(d):
            total = 0.0
            for b in range(a + 1):
                total += inverse[s, a, b] * (row[b] - means[s, b])
            squared += total * total
        out[s] = constant[s] - 0.5 * squared
    return True


@njit(cache=True, nogil=True)
def _filter(rows: Any, start: Any, transition: Any, means: Any, inverse: Any, constant: Any, out: Any) -> float:
    """Write filtered probabilities; return the log-likelihood."""
    n = len(rows)
    k = len(start)
    density = np.empty(k)
    total = 0.0
    for t in range(n):
        if t == 0:
            for s in range(k):
                out[0, s] = start[s]
        else:
            for s in range(k):
                mass = 0.0
                for r in range(k):
                    mass += out[t - 1, r] * transition[r, s]
                out[t, s] = mass
        if not _log_densities(rows[t], means, inverse, constant, density):
            continue
        top = density.max()
        norm = 0.0
        for s in range(k):
            out[t, s] *= math.exp(density[s] - top)
            norm += out[t, s]
        for s in range(k):
            out[t, s] /= norm
        total += math.log(norm) + top
    return total


@njit(cache=True, nogil=True)
def _em(
    z: Any, start: Any, transition: Any, means: Any, covariances: Any, floor: float, tolerance: float,
    max_iterations: int,
) -> tuple[float, int, bool]:  # fmt: skip
    """Baum-Welch on standardised rows; the parameters are changed in place. Returns log-likelihood, iterations, end."""
    n, d = z.shape
    k = len(start)
    inverse = np.empty((k, d, d))
    constant = np.empty(k)
    alpha = np.empty((n, k))
    weights = np.empty((n, k))
    beta = np.empty(k)
    before = np.empty(k)
    density = np.empty((n, k))
    norm = np.empty(n)
    counts = np.empty((k, k))
    last = -np.inf
    for iteration in range(max_iterations):
        for s in range(k):
            root = np.linalg.cholesky(covariances[s])
            inverse[s] = np.linalg.inv(root)
            constant[s] = -0.5 * d * math.log(2.0 * math.pi)
            for a in range(d):
                constant[s] -= math.log(root[a, a])
        # Forward: scaled by each row's likelihood.
        likelihood = 0.0
        for t in range(n):
            _log_densities(z[t], means, inverse, constant, density[t])
            top = density[t].max()
            mass = 0.0
            for s in range(k):
                density[t, s] = math.exp(density[t, s] - top)
                predicted = start[s]
                if t > 0:
                    predicted = 0.0
                    for r in range(k):
                        predicted += alpha[t - 1, r] * transition[r, s]
                alpha[t, s] = predicted * density[t, s]
                mass += alpha[t, s]
            for s in range(k):
                alpha[t, s] /= mass
            norm[t] = mass
            likelihood += math.log(mass) + top
        if not likelihood - last > tolerance:
            return likelihood, iteration, True
        last = likelihood
        # Backward: smoothed weights and expected transitions.
        counts[:] = 0.0
        beta[:] = 1.0
        for s in range(k):
            weights[n - 1, s] = alpha[n - 1, s]
        for t in range(n - 2, -1, -1):
            for s in range(k):
                before[s] = beta[s] * density[t + 1, s] / norm[t + 1]
            for r in range(k):
                mass = 0.0
                for s in range(k):
                    flow = transition[r, s] * before[s]
                    counts[r, s] += alpha[t, r] * flow
                    mass += flow
                beta[r] = mass
                weights[t, r] = alpha[t, r] * mass
        # Maximise.
        for r in range(k):
            start[r] = max(weights[0, r], 1e-12)
            mass = counts[r].sum()
            for s in range(k):
                transition[r, s] = max(counts[r, s] / mass, 1e-12) if mass > 0.0 else 1.0 / k
            transition[r] /= transition[r].sum()
        start /= start.sum()
        for s in range(k):
            mass = 0.0
            means[s] = 0.0
            for t in range(n):
                mass += weights[t, s]
                for a in range(d):
                    means[s, a] += weights[t, s] * z[t, a]
            if not mass > 0.0:
                return -np.inf, iteration, False
            means[s] /= mass
            covariances[s] = 0.0
            for t in range(n):
                for a in range(d):
                    left = weights[t, s] * (z[t, a] - means[s, a])
                    for b in range(a + 1):
                        covariances[s, a, b] += left * (z[t, b] - means[s, b])
            for a in range(d):
                for b in range(a):
                    covariances[s, a, b] /= mass
                    covariances[s, b, a] = covariances[s, a, b]
                covariances[s, a, a] = covariances[s, a, a] / mass + floor
    return last, max_iterations, False
