"""Where a TPE search looks next: two Parzen mixtures, candidates from the good one, the best ratio of densities.

The compiled arithmetic of Optuna's multivariate ``TPESampler`` (version 5), in the order in which it draws from its
random stream. Optuna works with logarithms of densities; here the densities themselves are multiplied, which is the
same function: the prior of either mixture covers the whole range, so that neither density is ever near zero.

Sources: J. Bergstra et al., "Algorithms for hyper-parameter optimization" (2011); S. Falkner et al., "BOHB" (2018);
S. Watanabe, "Tree-structured Parzen estimator" (2023).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maestro._core.compiled import njit
from maestro.search.normal import exponentials, masses, truncated_normal, truncation

CANDIDATES = 24
"""Points drawn from the mixture of the good trials, of which one is proposed."""
OPTION, REAL, GRID = 0, 1, 2
"""Kinds of a parameter."""
LOW, HIGH, FIRST, LAST, STEP, LOG = range(6)
"""Columns of `scales`: ends of the transformed range, first and last value, step, and whether it is logarithmic."""

_PRIOR = -1.0
"""In place of an option: the kernel that has all options alike."""
_BLOCK = 256
"""Kernels at a time, which bounds the memory."""
_TIE = 1e-10
"""Candidates whose log ratios differ by less are equal, and the first is taken: rounding must not choose."""


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def insert(order: Any, observed: Any, begin: int, end: int) -> None:
    """Enter trials begin..end-1 into `order`, int64[D, N]: trial numbers by value, equal values by number."""
    for d in range(observed.shape[0]):
        for t in range(begin, end):
            value = observed[d, t]
            k = t
            while k > 0 and observed[d, order[d, k - 1]] > value:
                order[d, k] = order[d, k - 1]
                k -= 1
            order[d, k] = t


@njit(cache=True, nogil=True, borrows=True, error_model="numpy")
def _widths(
    observed: Any, order: Any, good: Any, side: bool, place: Any, low: float, high: float, mu: Any, sigma: Any
) -> None:  # fmt: skip
    """Write centre and width of each kernel of one parameter's mixture, in order of trials, the prior last."""
    n = mu.shape[0] - 1
    span = high - low
    least = span / min(100.0, n + 2.0)
    mu[n] = 0.5 * (low + high)
    sigma[n] = span
    k = 0
    last = -1
    before = after = low
    for s in range(good.shape[0] + 1):  # a kernel is as wide as the larger gap to its neighbours
        if s < good.shape[0]:
            t = order[s]
            if good[t] != side:
                continue
            after = observed[t]
        else:
            t = -1
            after = high
        if last >= 0:
            centre = mu[place[last]]
            left, right = centre - before, after - centre
            if n >= 2 and k == 1:
                width = right
            elif n >= 2 and t < 0:
                width = left
            else:
                width = max(left, right)
            sigma[place[last]] = min(max(width, least), span)
            before = centre
        if t >= 0:
            mu[place[t]] = after
            last = t
            k += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _option(u: float, chosen: int, n_options: int, n: int) -> float:
    """Draw an option from a kernel: the observed one has weight 1 + 1/(n + 1), the others 1/(n + 1)."""
    share = 1.0 / (n + 1)
    total = share * n_options + (1.0 if chosen >= 0 else 0.0)
    cumulated = 0.0
    for option in range(n_options - 1):
        cumulated += (share + (1.0 if option == chosen else 0.0)) / total
        if not cumulated < u:
            return float(option)
    return float(n_options - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _multiply(kind: int, scale: Any, x: Any, mu: Any, sigma: Any, density: Any, whole: int) -> None:
    """Multiply `density`, float64[candidates, kernels], by one parameter's densities at the candidates `x`.

    The kernels are some of `whole` of the mixture.
    """
    kernels = mu.shape[0]
    low, high, step, log = scale[LOW], scale[HIGH], scale[STEP], scale[LOG] != 0.0
    if kind == OPTION:
        share = 1.0 / whole
        n_options = scale[LAST] + 1.0
        total = share * n_options + 1.0
        for j in range(x.shape[0]):
            for k in range(kernels):
                if mu[k] == _PRIOR:
                    density[j, k] *= 1.0 / n_options
                else:
                    density[j, k] *= (share + (1.0 if mu[k] == x[j] else 0.0)) / total
        return
    inverse = 1.0 / sigma
    norm = 1.0 / masses((low - mu) * inverse, (high - mu) * inverse)
    if kind == REAL:
        z = np.empty((x.shape[0], kernels))
        for j in range(x.shape[0]):
            at = math.log(x[j]) if log else x[j]
            for k in range(kernels):
                z[j, k] = (at - mu[k]) * inverse[k]
        exponents = (-0.5 * z * z).ravel()
        density *= exponentials(exponents).reshape(z.shape) * (norm * inverse * (high - low))
        return
    distinct = 0  # on a grid many candidates are equal, and the masses take most of the time
    first = np.empty(x.shape[0], np.int64)
    left, right = np.empty((x.shape[0], kernels)), np.empty((x.shape[0], kernels))
    for j in range(x.shape[0]):
        twin = 0
        while twin < j and x[twin] != x[j]:
            twin += 1
        if twin < j:
            first[j] = first[twin]
            continue
        low_edge, high_edge = x[j] - step / 2, x[j] + step / 2
        if log:
            low_edge, high_edge = math.log(low_edge), math.log(high_edge)
        for k in range(kernels):
            left[distinct, k] = (low_edge - mu[k]) * inverse[k]
            right[distinct, k] = (high_edge - mu[k]) * inverse[k]
        first[j] = distinct
        distinct += 1
    found = masses(left[:distinct].ravel(), right[:distinct].ravel()).reshape((distinct, kernels))
    for j in range(x.shape[0]):
        row = found[first[j]]
        for k in range(kernels):
            density[j, k] *= row[k] * norm[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(kinds: Any, scales: Any, mus: Any, sigmas: Any, cumulated: Any, u: Any, x: Any) -> None:
    """Draw the candidates `x`, float64[D, CANDIDATES], from a mixture."""
    component = np.empty(CANDIDATES, np.int64)
    n = mus.shape[1] - 1
    for j in range(CANDIDATES):
        k = 0
        while k < n and cumulated[k] <= u[0, j]:
            k += 1
        component[j] = k
    mass, outside = np.empty(n + 1), np.empty(n + 1)
    row = 1
    for d in range(kinds.shape[0]):
        if kinds[d] == OPTION:
            for j in range(CANDIDATES):
                k = component[j]
                x[d, j] = _option(u[row, j], int(mus[d, k]) if k < n else -1, int(scales[d, LAST]) + 1, n)
            row += 1
    for d in range(kinds.shape[0]):
        if kinds[d] == OPTION:
            continue
        low, high, first, last = scales[d, LOW], scales[d, HIGH], scales[d, FIRST], scales[d, LAST]
        known = np.zeros(n + 1, np.bool_)  # several candidates come from one kernel
        for j in range(CANDIDATES):
            k = component[j]
            mu, sigma = mus[d, k], sigmas[d, k]
            if not known[k]:
                mass[k], outside[k] = truncation((low - mu) / sigma, (high - mu) / sigma)
                known[k] = True
            value = truncated_normal(u[row, j], (low - mu) / sigma, mass[k], outside[k]) * sigma + mu
            if scales[d, LOG] != 0.0:
                value = math.exp(value)
            if kinds[d] == GRID:
                value = first + np.rint((value - first) / scales[d, STEP]) * scales[d, STEP]
            x[d, j] = min(max(value, first), last)
        row += 1


@njit(cache=True, nogil=True, error_model="numpy")
def propose(
    kinds: Any, scales: Any, observed: Any, order: Any, good: Any, weights_good: Any, cumulated: Any,
    weights_bad: Any, u: Any, out: Any,
) -> None:  # fmt: skip
    """Write the codes of the next point to `out`, float64[D].

    Parameters
    ----------
    kinds : int64[D]
    scales : float64[D, 6]
    observed : float64[D, N]
        Codes of the trials so far, logarithms where the scale is logarithmic; the first n of N columns.
    order : int64[D, N]
        See `insert`.
    good : bool[n]
        Which trials belong to the good mixture.
    weights_good, weights_bad : float64
        Weights of the kernels of either mixture in order of trials, the prior last; sum 1.
    cumulated : float64
        Cumulated `weights_good`.
    u : float64[1 + D, CANDIDATES]
        Uniform numbers: for the choice of kernels, then for options, then for numbers.
    """
    dims, n = observed.shape[0], good.shape[0]
    x = np.empty((dims, CANDIDATES))
    ratio = np.zeros(CANDIDATES)
    place = np.empty(n, np.int64)
    for half in range(2):
        side = half == 0
        weights = weights_good if side else weights_bad
        count = 0
        for t in range(n):
            if good[t] == side:
                place[t] = count
                count += 1
        mus = np.empty((dims, count + 1))
        sigmas = np.empty((dims, count + 1))
        for d in range(dims):
            if kinds[d] == OPTION:
                for t in range(n):
                    if good[t] == side:
                        mus[d, place[t]] = observed[d, t]
                mus[d, count] = _PRIOR
            else:
                _widths(observed[d], order[d], good, side, place, scales[d, LOW], scales[d, HIGH], mus[d], sigmas[d])
        if side:
            _sample(kinds, scales, mus, sigmas, cumulated, u, x)
        totals = np.zeros(CANDIDATES)
        for begin in range(0, count + 1, _BLOCK):
            end = min(begin + _BLOCK, count + 1)
            density = np.empty((CANDIDATES, end - begin))
            for j in range(CANDIDATES):
                for k in range(end - begin):
                    density[j, k] = weights[begin + k]
            for d in range(dims):
                _multiply(kinds[d], scales[d], x[d], mus[d, begin:end], sigmas[d, begin:end], density, count + 1)
            for j in range(CANDIDATES):
                for k in range(end - begin):
                    totals[j] += density[j, k]
        for j in range(CANDIDATES):
            ratio[j] += math.log(totals[j]) if side else -math.log(totals[j])
    best = 0
    for j in range(1, CANDIDATES):
        if ratio[j] > ratio[best] + _TIE:
            best = j
    for d in range(dims):
        out[d] = x[d, best]
