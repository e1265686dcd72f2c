"""Budgets and bans: never over the allowance, never a request inside a ban, also after a restart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maestro.data.sources.limits import Budget, Host
from maestro.testing import VirtualClock


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 20)), min_size=1, max_size=80))
@example([(1, 1.4), (1, 0.0), (1, 0.0), (8, 0.0), (40, 0.0), (40, 14.977915870050563)])
@example([(1, 1.9), (10, 1.7020806880558672), (40, 9.018840830326717), (40, 3.9)])
def test_no_window_ever_holds_more_than_the_allowance(requests: list[tuple[int, float]]) -> None:
    budget, now, log = Budget(100, 60, share=0.9), 0.0, []
    for cost, pause in requests:
        now += pause
        now += budget.wait(cost, now)
        assert budget.wait(cost, now) == 0.0
        budget.spend(cost, now)
        log.append((now, cost))
    for start, _ in log:
        assert sum(cost for at, cost in log if start <= at < start + 60) <= 90


def test_a_cost_above_the_allowance_goes_alone() -> None:
    budget = Budget(10, 60)
    assert budget.wait(50, 0.0) == 0
    budget.spend(50, 0.0)
    assert budget.wait(1, 20.0) == pytest.approx(40.0)


def test_what_neighbours_spend_counts() -> None:
    budget = Budget(100, 60)
    budget.spend(2, 0.0)
    budget.update(89, 1.0)  # 87 of them are not ours
    assert budget.wait(1, 1.0) == 0
    assert budget.wait(2, 1.0) == pytest.approx(59.0)  # until our own two are forgotten
    assert budget.wait(4, 1.0) == pytest.approx(60.0)


def test_a_ban_outlives_the_process_and_reaches_its_neighbours(tmp_path: Path) -> None:
    clock = VirtualClock(1_000.0)
    first = Host("api.test:80", {}, clock=clock, state_dir=tmp_path)
    beside = Host("api.test:80", {}, clock=clock, state_dir=tmp_path)
    assert beside.wait({}) == 0
    first.ban(300)
    assert beside.wait({}) == pytest.approx(300)
    clock.time += 100
    assert Host("api.test:80", {}, clock=clock, state_dir=tmp_path).wait({}) == pytest.approx(200)
    beside.ban(10)  # a shorter one does not end the longer
    assert first.wait({}) == pytest.approx(200)
    assert Host("other.test", {}, clock=clock, state_dir=tmp_path).wait({}) == 0
    clock.time += 200
    assert Host("api.test:80", {}, clock=clock, state_dir=tmp_path).wait({}) == 0


def test_a_torn_ban_file_is_no_ban_and_is_written_anew(tmp_path: Path) -> None:
    clock = VirtualClock(1_000.0)
    path = tmp_path / "ban-api.test.json"
    path.write_text('{"host": "api.te')
    host = Host("api.test", {}, clock=clock, state_dir=tmp_path)
    assert host.wait({}) == 0
    host.ban(60)
    assert json.loads(path.read_text())["until"] == pytest.approx(1_060)


@given(st.floats(0, 1e6), st.floats(0, 100))
def test_after_the_wait_the_units_are_free_whatever_the_rounding(spent_at: float, later: float) -> None:
    budget = Budget(10, 60, share=1.0)
    budget.spend(10, spent_at)
    ticks = spent_at + later
    assert ticks + budget.wait(1, ticks) >= min(spent_at + 60, ticks + 60)
    assert budget.wait(1, ticks + budget.wait(1, ticks)) == 0.0
