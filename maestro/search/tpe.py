"""The default search: proposes what Optuna's multivariate TPE proposes, at a thirtieth of its cost.

Equal to ``optuna.samplers.TPESampler(multivariate=True, seed=seed)`` of Optuna 5: whole numbers, steps and options
exactly, real numbers to the last digits (two thirds of them to the bit, the others within 1e-14 relative, as NumPy's
vector functions and the C library's differ there). With these readings:

- Optuna sorts equal values with an unstable sort whose order depends on the CPU; here equal values stand in the
  order of trials (as in Optuna with a stable sort, with which the tests compare).
- A set that breaks constraints is not evaluated, but it is a finished trial: pruned, with one constraint of value 1
  for each broken rule (``trial.set_constraint``), so that it ranks behind all others, fewer broken rules first.
- A set whose evaluation failed breaks one rule more. A warm-up that does not fit into the bars is a constraint whose
  value is the excess, so that shorter ones rank first.
- A trial whose objective is undefined (a Sharpe ratio of NaN) is pruned without a value.
- Trials that were given, not proposed (the defaults, a warm start), are enqueued: complete sets, which draw nothing
  from the random streams.
- Two candidates whose log ratios differ by less than 1e-10 are equal and the first is proposed, where Optuna lets
  the rounding of its sums decide.

Optuna itself is not imported.
"""

from __future__ import annotations

import math
from bisect import insort
from functools import lru_cache

import numpy as np

from maestro.errors import SettingsError
from maestro.search import parzen as pz
from maestro.search.dimensions import Dimension
from maestro.search.space import Space
from maestro.typing import FloatArray, Parameters

STARTUP = 10
"""Finished trials before the mixtures are used; until then proposals are random."""
SEED_END = 2**32
"""Seeds are whole numbers from 0 to below this."""

_COMPLETE, _PRUNED, _INFEASIBLE = range(3)


class Tpe:
    """A seeded TPE search: it proposes parameters and takes their results in turns.

    Parameters
    ----------
    space : Space
    seed : int
        0 to 2**32 - 1.

    Examples
    --------
    >>> tpe = Tpe(space, seed=0)                     # doctest: +SKIP
    >>> params = tpe.propose()                       # doctest: +SKIP
    >>> tpe.tell(params, value=objective(params))    # doctest: +SKIP
    """

    def __init__(self, space: Space, seed: int) -> None:
        check_seed(seed)
        self._space = space
        self._sorted: list[Dimension] = sorted(space.dimensions, key=lambda d: d.name)  # Optuna's order of sampling
        dims = len(self._sorted)
        self._kinds = np.array([_kind(d) for d in self._sorted], np.int64)
        self._scales = np.array([_scale(d) for d in self._sorted])
        self._startup_rng = np.random.RandomState(seed)  # Optuna has two streams of the same seed, too
        self._rng = np.random.RandomState(seed)
        self._observed = np.empty((dims, 128))
        self._order = np.empty((dims, 128), np.int64)
        self._ranking: list[tuple[int, float, int]] = []
        self._ordered = 0
        self._n = 0

    def propose(self) -> Parameters:
        """Next set to try, complete; it may break a constraint."""
        if self._n < STARTUP:
            codes = {d.name: self._random_code(d) for d in self._space.dimensions}
            return self._space.complete({d.name: d.decode(codes[d.name]) for d in self._space.dimensions})
        n, dims = self._n, len(self._sorted)
        if self._ordered < n:
            pz.insert(self._order, self._observed, self._ordered, n)
            self._ordered = n
        n_good = min(math.ceil(0.1 * n), 25)
        good = np.zeros(n, np.bool_)
        good[[t for _, _, t in self._ranking[:n_good]]] = True
        weights, cumulated = _weights(n_good)
        others, _ = _weights(n - n_good)
        u = self._rng.random_sample((1 + dims, pz.CANDIDATES))
        out = np.empty(dims)
        pz.propose(self._kinds, self._scales, self._observed, self._order, good, weights, cumulated, others, u, out)
        return self._space.complete(
            {d.name: d.decode(code) for d, code in zip(self._sorted, out.tolist(), strict=True)}
        )

    def tell(self, params: Parameters, *, value: float = math.nan, violations: float = 0.0) -> None:
        """Enter a finished trial.

        Parameters
        ----------
        value : float
            Objective, larger is better; NaN: undefined.
        violations : float
            Sum of the constraint values, 1 for each broken rule; above 0 the objective does not count.
        """
        t = self._n
        if t == self._observed.shape[1]:
            self._observed = np.concatenate([self._observed, np.empty_like(self._observed)], axis=1)
            self._order = np.concatenate([self._order, np.empty_like(self._order)], axis=1)
        for k, d in enumerate(self._sorted):
            code = d.encode(params[d.name])
            self._observed[k, t] = math.log(code) if d.log else code
        if violations > 0:
            key = (_INFEASIBLE, float(violations), t)
        elif math.isnan(value):
            key = (_PRUNED, 0.0, t)
        else:
            key = (_COMPLETE, -value, t)
        insort(self._ranking, key)
        self._n += 1

    def _random_code(self, d: Dimension) -> float:
        """Code of a uniform value, as Optuna's RandomSampler draws it."""
        if d.options:
            return float(np.argmax(self._startup_rng.uniform(size=len(d.options))))
        low, high = d.code_low, d.code_high
        half = 0.0 if d.step is None else d.step / 2
        if not d.log:
            point = self._startup_rng.uniform(low - half, high + half)
            if d.kind == "int":
                assert d.step is not None
                return min(max(math.floor((point - low) / d.step + 0.5) * d.step + low, low), high)
            if d.step is not None:
                return min(max(round((point - low) / d.step) * d.step + low, low), high)
            return min(point, math.nextafter(high, low))
        point = math.exp(self._startup_rng.uniform(math.log(low - half), math.log(high + half)))
        if d.kind == "int":
            return min(max(float(round(point)), low), high)
        return min(max(point, low), math.nextafter(high, low))


def check_seed(seed: int) -> int:
    """Return a seed, or refuse an invalid one.

    Raises
    ------
    SettingsError
        Not a whole number from 0 to 2**32 - 1.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < SEED_END:
        raise SettingsError(f"seed={seed!r} is not a valid seed; give a whole number from 0 to {SEED_END - 1}.")
    return int(seed)


def _kind(d: Dimension) -> int:
    return pz.OPTION if d.options else pz.REAL if d.step is None else pz.GRID


def _scale(d: Dimension) -> tuple[float, ...]:
    first, last = d.code_low, d.code_high
    half = 0.0 if d.step is None else d.step / 2
    low, high = first - half, last + half
    if d.log:
        low, high = math.log(low), math.log(high)
    return low, high, first, last, d.step or 0.0, float(d.log)


@lru_cache(4096)
def _weights(n: int) -> tuple[FloatArray, FloatArray]:
    """Weights of `n` trials and the prior, and their cumulated sums: the last 25 count fully, older ones less."""
    weights = np.ones(n + 1)
    if n >= 25:
        weights[: n - 25] = np.linspace(1.0 / n, 1.0, num=n - 25)
    weights /= math.fsum(weights)  # the order of a vector sum, and so its last digit, depends on the CPU
    cumulated = np.cumsum(weights)
    cumulated /= cumulated[-1]
    weights.flags.writeable = cumulated.flags.writeable = False
    return weights, cumulated
