"""Submitting, following and cancelling jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maestro.errors import JobError, QuotaError, ServiceError
from maestro.service.jobs import Database, Job, Leases, Queue

Submit = Callable[..., Job]


def test_the_same_specification_is_one_job(submit: Submit, queue: Queue) -> None:
    first = submit()
    assert submit(name="another label").id == first.id
    assert submit(seed=1).id != first.id
    assert submit(owner="ben").run == first.run
    assert len(queue.jobs()) == 3
    assert [job.owner for job in queue.jobs("ben")] == ["ben"]


def test_an_idempotency_key_gives_the_job_of_the_first_time(submit: Submit) -> None:
    first = submit(idempotency="once")
    assert submit(idempotency="once").id == first.id
    with pytest.raises(ServiceError, match="take a new key"):
        submit(idempotency="once", seed=1)


def test_a_user_may_have_so_many_open_jobs(submit: Submit, queue: Queue) -> None:
    queue.quota = 2
    submit(seed=1)
    last = submit(seed=2)
    with pytest.raises(QuotaError, match=r"anna has 2 open jobs.*cancel one"):
        submit(seed=3)
    submit(seed=3, owner="ben")
    queue.cancel(last.id)
    submit(seed=3)


def test_a_waiting_job_is_cancelled_at_once_and_may_come_again(submit: Submit, queue: Queue) -> None:
    job = submit()
    assert queue.cancel(job.id, "anna").state == "cancelled"
    assert [event.kind for event in queue.events(job.id)] == ["queued", "cancelled"]
    assert queue.cancel(job.id).state == "cancelled"
    assert len(queue.events(job.id)) == 2
    assert submit().id != job.id


def test_jobs_of_others_do_not_exist(submit: Submit, queue: Queue) -> None:
    job = submit()
    for look in (queue.get, queue.cancel):
        with pytest.raises(JobError, match="there is no job"):
            look(job.id, "ben")
    assert queue.of_run(job.run, "anna") == job
    worker = Leases(queue.database, "w")
    assert worker.claim()
    worker.finish(job, None, 1.0)
    found = queue.of_run(job.run, "anna")
    assert found is not None
    assert found.state == "done"
    assert queue.of_run(job.run, "ben") is None
    assert queue.of_run("0" * 16) is None


def test_a_job_whose_run_was_removed_is_not_found_again(submit: Submit, queue: Queue) -> None:
    job = submit()
    worker = Leases(queue.database, "w")
    assert worker.claim()
    worker.finish(job, None, 1.0)
    assert submit().id == job.id
    again = submit(kept=False)
    assert again.id != job.id
    assert again.state == "queued"
    assert submit(kept=False).id == again.id, "an open job is found, whatever is on disk"


def test_events_go_on_behind_a_number(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit()
    leases = Leases(database, "w")
    assert leases.claim()
    for fold in (0, 1, 1, 2):  # a fold that is reported twice is one event
        leases.fold(job, fold, {"trials": 8, "error": None})
    every = queue.events(job.id)
    assert [event.kind for event in every] == ["queued", "started", "fold", "fold", "fold"]
    assert queue.events(job.id, after=every[2].seq) == every[3:]
