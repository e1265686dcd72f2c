"""Jobs and results over HTTP, against a server that listens."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest

import maestro as ms
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site

JOBS = "/api/v2/optimizations"


def test_a_walk_forward_over_http_is_that_of_the_library(alone: Site, tmp_path: Path) -> None:
    with alone.http() as http:
        estimate = http.post(f"{JOBS}/estimate", json=SMALL).json()
        answer = http.post(JOBS, json={**SMALL, "name": "first"}, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 202
        job = answer.json()
        assert answer.headers["location"] == f"{JOBS}/{job['id']}"
        assert (job["state"], job["owner"], job["name"]) == ("queued", "local", "first")
        assert http.get(f"/api/v2/results/{job['run']}").status_code == 404
        alone.work()
        assert http.get(answer.headers["location"]).json()["state"] == "done"
        again = http.post(JOBS, json=SMALL)
        assert (again.status_code, again.json()["id"]) == (200, job["id"])
        wf = ms.walk_forward(
            ms.load("sample:AAPL"), "EmaCrossStrategy", trials=8, splitter="rolling:4,2,1", runs_dir=tmp_path / "own"
        )
        assert wf.id == job["run"] == estimate["run"]
        assert estimate["folds"] == len(wf.folds)
        result = f"/api/v2/results/{job['run']}"
        for name in ("trials", "folds", "equity", "trades"):
            own = tmp_path / "own" / wf.id / f"{name}.parquet"
            answer = http.get(f"{result}/{name}?format=parquet")
            assert answer.content == own.read_bytes()
            assert "immutable" in answer.headers["cache-control"]
            tag = {"If-None-Match": answer.headers["etag"]}
            assert http.get(f"{result}/{name}?format=parquet", headers=tag).status_code == 304
            arrow = pl.read_ipc_stream(io.BytesIO(http.get(f"{result}/{name}?format=arrow").content))
            assert arrow.equals(pl.read_parquet(own), null_equal=True)
            document = http.get(f"{result}/{name}").json()
            assert document["columns"] == arrow.columns
            assert len(document["rows"]) == len(arrow)
        summary = http.get(result).json()
        assert summary["metrics"]["total_return"] == pytest.approx(wf.metrics["total_return"])
        assert http.get(f"{result}?schema=v1").json() == json.loads(json.dumps(wf.to_v1())) | {
            "processing_time": summary["seconds"]
        }
        report = http.get(f"{result}/report")
        assert "EmaCrossStrategy" in report.text
        assert report.headers["content-security-policy"].startswith("sandbox")
        assert http.get(f"{result}/verdict").status_code == 404


def test_errors_name_field_value_rule_and_remedy(alone: Site) -> None:
    with alone.http() as http:
        answer = http.post(JOBS, json={**SMALL, "trials": 0})
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert (problem["field"], problem["value"]) == ("trials", 0)
        assert problem["rule"] == "trials=0 leaves nothing to search"
        assert problem["remedy"] == "give a whole number of at least 1."
        for body in (b"{", b"[]", b'{"cash": NaN}', b"[" * 100_000, b"\xff"):
            answer = http.post(JOBS, content=body)
            assert answer.status_code == 422
            assert "send one" in answer.json()["detail"]
        assert http.get(f"{JOBS}?limit=0").json()["field"] == "limit"
        assert http.get(f"{JOBS}?state=odd").json()["field"] == "state"
        assert http.get("/nowhere").json()["title"] == "Not found"
        http.post(JOBS, json=SMALL, headers={"Idempotency-Key": "k"})
        other = http.post(JOBS, json={**SMALL, "seed": 5}, headers={"Idempotency-Key": "k"})
        assert other.status_code == 409
        alone.service.queue.quota = 1
        assert http.post(JOBS, json={**SMALL, "seed": 6}).status_code == 429


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"select": ' + "[" * 500 + '"vwr"' + "]" * 500 + "}", "nested deeper than 20 levels"),
        ('{"params": ' + '{"a":' * 500 + "1" + "}" * 501, "nested deeper than 20 levels"),
        ("[" * 50_000 + "]" * 50_000, "nested deeper than 20 levels"),
        ('{"seed": ' + "9" * 5000 + "}", "a number has 5000 digits"),
        ('{"cash": NaN}', "NaN is not JSON"),
        ('{"name": "\\ud800"}', "half a character"),
        ("[1]", "not a JSON object"),
    ],
)
def test_bodies_that_no_field_can_take_are_refused_in_words(alone: Site, body: str, words: str) -> None:
    with alone.http() as http:
        answer = http.post(JOBS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert words in answer.json()["rule"]
        assert answer.json()["remedy"].startswith("send ")
        assert http.get("/healthz").status_code == 200  # on the same connection


def test_jobs_are_listed_page_by_page_and_cancelled(alone: Site) -> None:
    with alone.http() as http:
        made = [http.post(JOBS, json={**SMALL, "seed": seed}).json()["id"] for seed in range(5)]
        seen, cursor = [], ""
        while cursor is not None:
            page = http.get(f"{JOBS}?limit=2{cursor}").json()
            seen += [job["id"] for job in page["jobs"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert seen == made[::-1]
        assert http.post(f"{JOBS}/{made[0]}/cancel").json()["state"] == "cancelled"
        assert [job["id"] for job in http.get(f"{JOBS}?state=cancelled").json()["jobs"]] == [made[0]]
