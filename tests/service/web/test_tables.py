"""Runs that were removed, damaged or are computed again: the same problem details at every endpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import maestro as ms
from maestro.client import Client
from maestro.errors import RunError
from maestro.runs import RunStore
from maestro.service.web import tables
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site
from tests.service.web.test_results import ENDPOINTS, JOBS, finished, flip, problems


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


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
def test_the_error_of_a_damaged_run_names_the_file_and_a_remedy(alone: Site, damage: Callable[[Path], None]) -> None:
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


def test_a_report_is_made_although_the_disk_is_full(alone: Site, monkeypatch: pytest.MonkeyPatch) -> None:
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
