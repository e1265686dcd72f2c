"""Results whose run was removed, damaged, or is not finished: problem details at every endpoint."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

import maestro as ms
from maestro.cli import main
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site

JOBS = "/api/v2/optimizations"
ENDPOINTS = (
    "", "?schema=v1", "/manifest", "/report", "/verdict", *(f"/{name}?format={form}" for name in
    ("equity", "trades", "folds", "trials") for form in ("json", "arrow", "parquet")),
)  # fmt: skip


def finished(site: Site, user: str | None = None) -> str:
    """Run a small job; returns the run."""
    with site.http(user) as http:
        job = http.post(JOBS, json=SMALL).json()
        site.work()
        assert http.get(f"{JOBS}/{job['id']}").json()["state"] == "done"
    return str(job["run"])


def problems(http: httpx.Client, run: str, status: int, words: str, without: tuple[str, ...] = ()) -> None:
    """Assert that every endpoint of a run refuses in the same way, and shows no path of the server."""
    for path in ENDPOINTS:
        if path in without:
            continue
        answer = http.get(f"/api/v2/results/{run}{path}")
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", path
        document = answer.json()
        assert words in document["detail"], (path, document)
        assert document["remedy"], path
        assert "/runs/" not in document["detail"], path


def command(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0


def test_the_command_that_removes_or_restores_a_run_tells_its_job(alone: Site) -> None:
    run, runs = finished(alone), str(alone.service.runs_dir)
    with alone.http() as http:
        [job] = http.get(JOBS).json()["jobs"]
        command("runs", "remove", run, "--runs-dir", runs, "--yes")
        removed = http.get(f"{JOBS}/{job['id']}").json()
        assert (removed["state"], removed["error_type"]) == ("done", "RunRemoved")
        assert "submit it again" in removed["error"]
        assert "result" not in removed["links"]
        command("runs", "trash", "restore", run, "--runs-dir", runs)
        assert http.get(f"{JOBS}/{job['id']}").json() == job
        command("runs", "remove", run, "--runs-dir", runs, "--yes")
        http.post(JOBS, json=SMALL).raise_for_status()
        alone.work()
        assert [one["error"] for one in http.get(JOBS).json()["jobs"]] == [None, None]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_verdict_is_one_document_and_a_damaged_one_can_be_made_again(alone: Site) -> None:
    run = finished(alone)
    with alone.http() as http:
        assert "not judged yet" in http.get(f"/api/v2/results/{run}/verdict").json()["detail"]
        first = http.get(f"/api/v2/results/{run}/report").text
        wf = ms.load_run(run, alone.service.runs_dir)
        made = ms.verdict(wf, ms.load("sample:AAPL"), permutations=0)
        document = http.get(f"/api/v2/results/{run}/verdict").json()
        assert document["run"] == run
        assert len(document["checks"]) == len(made.checks)
        assert http.get(f"/api/v2/results/{run}/report").text != first, "a new verdict makes a new report"
        flip(alone.service.runs_dir / run / "verdict.json")
        answer = http.get(f"/api/v2/results/{run}/verdict")
        assert (answer.status_code, "maestro verdict" in answer.json()["remedy"]) == (500, True)


def test_unfinished_runs_show_the_state_of_their_job(site: Site) -> None:
    with site.http("anna") as anna, site.http("ben") as ben, site.http("ada") as admin:
        job = anna.post(JOBS, json=SMALL).json()
        for http, words in ((anna, "is queued"), (admin, "is queued"), (ben, "no run")):
            problems(http, job["run"], 404, words)
        anna.post(f"{JOBS}/{job['id']}/cancel")
        problems(anna, job["run"], 404, "was cancelled; submit it again")
        job = anna.post(JOBS, json={**SMALL, "seed": 1}).json()
        with site.service.database.writing() as connection:
            connection.execute("UPDATE jobs SET spec = '{}' WHERE id = ?", (job["id"],))
        site.work()
        problems(anna, job["run"], 404, "failed; submit it again")
        problems(ben, job["run"], 404, "no run")
