"""Faults of the fake exchange, request by request, decided by a seed."""

from __future__ import annotations

import random
from collections import Counter

FAILURES = ("429", "418", "5xx", "drop", "torn body", "torn json", "slow", "repeated", "html")
"""Faults that a client can see: bans, errors, lost connections, incomplete, late, stale or foreign bodies."""
LIES = ("short", "empty", "holes")
"""Answers that look right and lack rows."""
MOST_FAILURES = 5  # in a row: below the client's bound
MOST_LIES = 2  # in a row for one request: as many as the client does not believe


class Faults:
    """A seeded schedule of faults.

    Parameters
    ----------
    seed : int
    rate : float
        Share of requests that meet a fault.
    kinds : tuple of str
        Which faults there are: of `FAILURES` and `LIES`.

    Attributes
    ----------
    met : Counter, how many requests met each fault
    """

    def __init__(self, seed: int, rate: float = 0.3, kinds: tuple[str, ...] = (*FAILURES, *LIES)) -> None:
        self.rng = random.Random(seed)
        self.rate, self.kinds = rate, kinds
        self.met: Counter[str] = Counter()
        self._failures = 0
        self._lies: Counter[str] = Counter()

    def next(self, question: str) -> str:
        """Return the fault that this request meets, or an empty string."""
        kind = self.rng.choice(self.kinds) if self.kinds and self.rng.random() < self.rate else ""
        if kind == "slow" and self.rng.random() < 0.94:  # it costs real time
            kind = "5xx"
        if kind in FAILURES and self._failures >= MOST_FAILURES:
            kind = ""
        if kind in LIES and self._lies[question] >= MOST_LIES:
            kind = ""
        self._failures = self._failures + 1 if kind in FAILURES else 0
        if kind in LIES:
            self._lies[question] += 1
        elif kind not in FAILURES:
            self._lies[question] = 0
        if kind:
            self.met[kind] += 1
        return kind


class NoFaults(Faults):
    """A day on which nothing goes wrong."""

    def __init__(self) -> None:
        super().__init__(0, 0.0, ())
