"""What the owner of a job is shown, and what a job of an earlier version is."""

from __future__ import annotations

from collections.abc import Callable

from maestro.service.jobs import Database, Job, Queue

Submit = Callable[..., Job]


def test_a_job_is_shown_with_times_in_utc_and_without_its_worker(
    submit: Submit, database: Database, queue: Queue
) -> None:
    job = submit(owner="anna", name="a label")
    with database.writing() as connection:
        connection.execute("UPDATE jobs SET created = 0.25, worker = 'host-1', name = 'a label'")
    shown = queue.get(job.id).public()
    assert shown["created"] == "1970-01-01T00:00:00.250+00:00"
    assert shown["started"] is shown["finished"] is None
    assert (shown["owner"], shown["name"], shown["state"], shown["kind"]) == (
        "anna",
        "a label",
        "queued",
        "walk-forward",
    )
    assert (shown["folds"], shown["total"]) == (3, 24)
    assert shown["spec"]["trials"] == 8
    assert not {"worker", "cancel", "attempts", "number"} & shown.keys()


def test_waiting_and_running_jobs_are_open(submit: Submit, database: Database, queue: Queue) -> None:
    job = submit()
    found = {}
    for state in ("queued", "running", "done", "failed", "cancelled"):
        with database.writing() as connection:
            connection.execute("UPDATE jobs SET state = ?", (state,))
        found[state] = queue.get(job.id).is_open
    assert [state for state, is_open in found.items() if is_open] == ["queued", "running"]


def test_a_job_without_a_kind_is_a_walk_forward(submit: Submit, database: Database, queue: Queue) -> None:
    job = submit()
    with database.writing() as connection:
        connection.execute("UPDATE jobs SET spec = json_remove(spec, '$.kind')")
    assert "kind" not in queue.get(job.id).spec
    assert queue.get(job.id).kind == "walk-forward"


def test_an_event_is_shown_with_its_number_and_time(submit: Submit, database: Database, queue: Queue) -> None:
    job = submit()
    with database.writing() as connection:
        connection.execute("UPDATE events SET at = 86400")
    [event] = queue.events(job.id)
    assert event.public() == {
        "seq": event.seq, "at": "1970-01-02T00:00:00.000+00:00", "kind": "queued", "data": event.data,
    }  # fmt: skip
