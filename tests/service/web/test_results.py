"""Results whose run was removed, damaged, or is not finished: problem details at every endpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import maestro as ms
from maestro.cli import main
from maestro.client import Client
from maestro.errors import RunError
from maestro.runs import RunStore
from maestro.service.web import tables
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


def test_a_removed_run_is_gone_and_can_be_submitted_again(alone: Site, tmp_path: Path) -> None:
    run = finished(alone)
    with alone.http() as http:
        tables_before = http.get(f"/api/v2/results/{run}/equity?format=parquet").content  # also kept in memory
        job = http.get(JOBS).json()["jobs"][0]["id"]
        ms.runs.remove(run, alone.service.runs_dir)
        problems(http, run, 410, "was removed from the server")
        assert http.get(f"{JOBS}/{job}").json()["state"] == "done"
        with Client(alone.url, runs_dir=tmp_path) as client, pytest.raises(RunError, match="submit its specification"):
            client.job(job).result()
        again = http.post(JOBS, json=SMALL)
        assert again.status_code == 202
        assert again.json()["id"] != job
        alone.work()
        assert http.get(f"/api/v2/results/{run}/equity?format=parquet").content == tables_before
        manifest = http.get(f"/api/v2/results/{run}/manifest").content
        assert manifest == (alone.service.runs_dir / run / "manifest.json").read_bytes()


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


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
def test_a_damaged_run_says_which_file_and_what_to_do(alone: Site, damage: Callable[[Path], None]) -> None:
    run = finished(alone)
    folder = alone.service.runs_dir / run
    with alone.http() as http:
        damage(folder / "equity.parquet")
        whole = ("/manifest", "/verdict", *(path for path in ENDPOINTS if path.endswith("parquet")))
        problems(http, run, 500, "equity.parquet is damaged", whole)
        problems(http, run, 500, f"maestro runs remove {run}", whole)
        assert http.get(f"/api/v2/results/{run}/equity?format=parquet").status_code == 500
        assert http.get(f"/api/v2/results/{run}/folds?format=parquet").status_code == 200
        if damage is not Path.unlink:
            damage(folder / "manifest.json")
            problems(http, run, 500, "manifest.json is damaged", ("/verdict",))
        assert http.get("/readyz").status_code == 200


def test_a_run_that_is_made_again_is_not_finished(alone: Site) -> None:
    run = finished(alone)
    store = RunStore(alone.service.runs_dir / run)
    manifest = store.manifest()
    shutil.rmtree(store.folder)
    store.folder.mkdir()
    store.begin({name: manifest[name] for name in ("id", "spec", "n_folds", "versions", "started")})
    with alone.http() as http:
        problems(http, run, 409, "is being computed again", ("/verdict",))
        assert http.post(JOBS, json=SMALL).status_code == 202


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


def test_unfinished_runs_say_what_their_job_does(site: Site) -> None:
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


def test_a_full_disk_is_said_and_a_report_is_made_all_the_same(alone: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(alone)

    def full(*given: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device", str(alone.service.runs_dir))

    with alone.http() as http:
        monkeypatch.setattr("maestro.reports.output.write_atomic", full)
        answer = http.get(f"/api/v2/results/{run}/report")
        assert answer.status_code == 500
        assert "No space left" in answer.json()["detail"]
        monkeypatch.undo()
        monkeypatch.setattr(tables, "report_text", lambda wf: "the report")
        assert http.get(f"/api/v2/results/{run}/report").text == "the report"
        monkeypatch.setattr("maestro.service.web.catalogue.configured_store", full)
        answer = http.get("/api/v2/series")
        assert (answer.status_code, answer.json()["title"]) == (507, "The service cannot write")
        assert json.loads(answer.content)["remedy"]
