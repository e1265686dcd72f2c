"""A remote job: events by polling, the end of each kind, and files that are not those of its run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro.client.job import RemoteJob
from maestro.errors import JobError, RunCancelled, RunError

RUN = "0123456789abcdef"
EVENTS = [{"seq": 1, "kind": "queued", "data": {}}, {"seq": 4, "kind": "fold", "data": {}}]


class Service:
    """Answers as a service whose job goes through some states; the last one stays."""

    url, headers, patience = "http://127.0.0.1:9", {}, 0.0

    def __init__(self, *states: str, error: str | None = None, manifest: str = RUN) -> None:
        self.states, self.error, self.manifest = list(states), error, manifest
        self.asked: list[str] = []

    def document(self) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {
            "id": "job", "run": RUN, "kind": "walk-forward", "state": state, "error": self.error, "done": 8,
            "total": 24, "strategy": "Rule", "symbol": "S",
        }  # fmt: skip

    def ask(self, method: str, path: str, **options: Any) -> Any:
        self.asked.append(f"{method} {path}")
        if path.endswith("/manifest"):
            return SimpleNamespace(content=json.dumps({"id": self.manifest}).encode())
        job = self.document()
        if "/events" in path:
            after = int(path.partition("after=")[2].partition("&")[0])
            events = [event for event in EVENTS if event["seq"] > after]  # type: ignore[operator]
            if job["state"] != "running" and after < 9:
                events.append({"seq": 9, "kind": job["state"], "data": {}})
            job = {"events": events, "job": job}
        return SimpleNamespace(json=lambda: job)


def job_of(service: Service, folder: Path = Path("runs")) -> RemoteJob:
    document = Service(service.states[0]).document()
    return RemoteJob(service, document, folder)  # type: ignore[arg-type]


def test_without_a_socket_events_come_once_by_polling_until_the_job_ends() -> None:
    service = Service("running", "running", "done")
    seen: list[dict[str, Any]] = []
    job = job_of(service)
    assert job.wait(seen.append) is job
    assert [event["seq"] for event in seen if "seq" in event] == [1, 4, 9]
    [progress] = [event for event in seen if event["kind"] == "progress"]
    assert progress["data"] == {"done": 8, "total": 24, "state": "running"}
    assert job.document["state"] == "done"


def test_events_go_on_behind_a_number() -> None:
    assert [event["seq"] for event in job_of(Service("done")).events(after=4) if "seq" in event] == [9]


def test_a_job_that_failed_or_was_cancelled_is_an_error() -> None:
    with pytest.raises(JobError, match="job job failed: no data; fetch some"):
        job_of(Service("failed", error="no data; fetch some.")).wait()
    with pytest.raises(RunCancelled, match="submit it again"):
        job_of(Service("cancelled")).wait()


def test_a_manifest_of_another_run_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    service = Service("done", manifest="f" * 16)
    with pytest.raises(RunError, match=f"the service gave another run than {RUN}"):
        job_of(service, tmp_path).result()
    assert not [path for path in tmp_path.rglob("*") if path.name in ("manifest.json", "equity.parquet")]
    assert not [path for path in service.asked if "parquet" in path]


def test_a_job_shows_itself_and_is_cancelled() -> None:
    service = Service("running", "cancelled")
    job = job_of(service)
    assert repr(job) == f"RemoteJob(job, run {RUN}, running)"
    service.states = ["cancelled"]
    job.cancel()
    assert service.asked == ["POST /api/v2/optimizations/job/cancel"]
    assert job.state == "cancelled"
