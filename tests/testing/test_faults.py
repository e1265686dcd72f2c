"""The seeded schedule of faults: its share, its bounds, the same for a seed."""

from __future__ import annotations

import itertools

from maestro.testing import FAILURES, LIES, Faults, NoFaults
from maestro.testing.faults import MOST_FAILURES, MOST_LIES


def test_a_seed_gives_the_same_faults() -> None:
    one, same, other = (Faults(seed) for seed in (1, 1, 2))
    met = [[faults.next("a") for _ in range(200)] for faults in (one, same, other)]
    assert met[0] == met[1] != met[2]
    assert sum(one.met.values()) == sum(map(bool, met[0]))


def test_failures_in_a_row_are_bounded() -> None:
    faults = Faults(0, rate=1.0, kinds=FAILURES)
    runs = [len(list(group)) for kind, group in itertools.groupby(bool(faults.next("a")) for _ in range(100)) if kind]
    assert len(runs) > 10
    assert set(runs[:-1]) == {MOST_FAILURES}


def test_lies_about_one_question_are_bounded() -> None:
    faults = Faults(0, rate=1.0, kinds=LIES)
    assert [bool(faults.next("a")) for _ in range(6)] == ([True] * MOST_LIES + [False]) * 2
    assert faults.next("another question")


def test_without_faults_nothing_goes_wrong() -> None:
    assert {NoFaults().next("a") for _ in range(50)} == {""}
