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
    for fold in (0, 1, 1, 2):  # a fold that is told twice is one event
        leases.fold(job, fold, {"trials": 8, "error": None})
    every = queue.events(job.id)
    assert [event.kind for event in every] == ["queued", "started", "fold", "fold", "fold"]
    assert queue.events(job.id, after=every[2].seq) == every[3:]


def test_a_locked_and_a_damaged_database_are_told_in_words(database: Database) -> None:
    hasty = Database(database.folder, wait=0.05)
    with database.writing(), pytest.raises(ServiceError, match="another program has kept it locked"), hasty.writing():
        pass
    database.close()
    hasty.close()
    database.path.write_bytes(b"no database at all" * 100)
    with pytest.raises(ServiceError, match=r"damaged; put it back from a backup"):
        Database(database.folder)


def test_a_full_disk_is_told_in_words_and_nothing_is_lost(submit: Submit, queue: Queue, database: Database) -> None:
    job = submit()
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    queue.quota = 1000

    def fill() -> None:
        for seed in range(1, 200):
            submit(seed=seed)

    with pytest.raises(ServiceError, match=r"the disk is full; nothing was changed"):
        fill()
    database.rows("PRAGMA max_page_count = 1000000")
    assert queue.get(job.id).state == "queued"
    assert len({event.seq for one in queue.jobs(limit=500) for event in queue.events(one.id)}) == len(
        queue.jobs(limit=500)
    )


def test_a_later_schema_is_refused(database: Database) -> None:
    database.rows("PRAGMA user_version = 99")
    with pytest.raises(ServiceError, match="later version of Maestro"):
        Database(database.folder)
