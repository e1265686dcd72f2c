"""Leases: who may work on what, and what becomes of the jobs of dead workers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from maestro.service.jobs import Database, Job, Leases, Queue, leases

Submit = Callable[..., Job]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that the test moves: monotonic, and the wall clock beside it."""
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    return now


def test_jobs_are_claimed_by_priority_then_fairly_then_in_order(submit: Submit, database: Database) -> None:
    a1, a2 = submit(seed=1), submit(seed=2)
    b1 = submit(seed=3, owner="ben")
    urgent = submit(seed=4, priority=5)
    worker = Leases(database, "w")
    claimed = [worker.claim() for _ in range(5)]
    assert [job and job.id for job in claimed] == [urgent.id, b1.id, a1.id, a2.id, None]


def test_two_jobs_of_one_run_never_run_at_once_and_end_together(
    submit: Submit, database: Database, queue: Queue
) -> None:
    first, second = submit(), submit(owner="ben")
    one, two = Leases(database, "one"), Leases(database, "two")
    assert one.claim()
    assert two.claim() is None
    one.fold(first, 0, {"trials": 8, "error": None})
    assert one.renew(first, 8)
    assert queue.get(second.id).done == 8
    one.finish(first, 0.5, 1.0)
    assert queue.get(second.id).state == queue.get(first.id).state == "done"
    assert [event.kind for event in queue.events(second.id)] == ["queued", "fold", "done"]


def test_the_job_of_a_dead_worker_is_taken_over_and_the_dead_one_can_write_nothing(
    submit: Submit, database: Database, queue: Queue, clock: list[float]
) -> None:
    job = submit()
    dead, other = Leases(database, "dead"), Leases(database, "other")
    assert dead.claim()
    clock[0] += leases.LEASE - 1
    assert other.claim() is None
    clock[0] += 2
    taken = other.claim()
    assert taken is not None
    assert taken.attempts == 2
    assert not dead.renew(job, 99)
    dead.fold(job, 7, {"trials": 1, "error": None})
    dead.fail(job, "no", "Error")
    dead.finish(job, 9.9, 1.0)
    dead.release(job, "no")
    assert queue.get(job.id).state == "running"
    assert queue.get(job.id).worker == "other"
    assert [event.kind for event in queue.events(job.id)] == ["queued", "started", "started"]


def test_a_restart_of_the_machine_frees_leases_and_a_clock_set_back_does_not(
    submit: Submit, database: Database, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit()
    assert Leases(database, "before").claim()
    monkeypatch.setattr(leases.time, "time", lambda: time.time_ns() / 1e9 - 86_400.0)
    assert Leases(database, "another").claim() is None
    clock[0] = 5.0  # monotonic time begins again
    assert Leases(database, "after").claim()


def test_three_deaths_in_one_fold_fail_the_job_in_words_and_a_finished_fold_counts_anew(
    submit: Submit, database: Database, queue: Queue, clock: list[float]
) -> None:
    job = submit()
    for attempt in range(2):
        assert Leases(database, f"w{attempt}").claim()
        clock[0] += leases.LEASE + 1
    third = Leases(database, "w2")
    assert third.claim()
    third.fold(job, 0, {"trials": 8, "error": None})
    for attempt in range(3, 5):
        clock[0] += leases.LEASE + 1
        assert Leases(database, f"w{attempt}").claim()
    clock[0] += leases.LEASE + 1
    assert Leases(database, "w5").claim() is None
    failed = queue.get(job.id)
    assert failed.state == "failed"
    assert "3 workers in a row" in str(failed.error)
    assert "computed the same fold (killed, or out of memory?); submit the job again, which goes" in str(failed.error)
    again = submit()
    assert (again.id != job.id, again.state, again.attempts) == (True, "queued", 0)
    fresh = Leases(database, "w6").claim()
    assert fresh is not None
    assert (fresh.id, fresh.attempts) == (again.id, 1)


def test_a_backtest_that_workers_died_on_says_how_to_submit_it_again(
    database: Database, queue: Queue, clock: list[float]
) -> None:
    def submit(key: str) -> Job:
        return queue.submit(
            "anna", {"kind": "backtest"}, run="0" * 16, strategy="Rule", provider="P", symbol="S", folds=0, trials=1,
            idempotency=key,
        )[0]  # fmt: skip

    job = submit("monday")
    for attempt in range(leases.ATTEMPTS):
        assert Leases(database, f"w{attempt}").claim()
        clock[0] += leases.LEASE + 1
    assert Leases(database, "w").claim() is None
    words = str(queue.get(job.id).error)
    assert "computed this backtest (killed" in words
    assert "submit the job again with a new Idempotency-Key. If it fails again" in words
    assert submit("monday").id == job.id
    assert submit("tuesday").state == "queued"


def test_a_job_that_was_cancelled_while_its_worker_was_dead_is_cancelled(
    submit: Submit, database: Database, queue: Queue, clock: list[float]
) -> None:
    job = submit()
    assert Leases(database, "dead").claim()
    assert queue.cancel(job.id).state == "running"
    clock[0] += leases.LEASE + 1
    assert Leases(database, "next").claim() is None
    assert queue.get(job.id).state == "cancelled"


def test_a_returned_job_counts_no_attempt(submit: Submit, database: Database, queue: Queue) -> None:
    job = submit()
    worker = Leases(database, "w")
    for _ in range(5):
        assert worker.claim()
        worker.release(job, "the worker was stopped")
    assert queue.get(job.id).attempts == 0
    assert queue.get(job.id).state == "queued"
