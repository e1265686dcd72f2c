"""Jobs and results over HTTP, against a server that listens."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import httpx
import polars as pl
import pytest
from websockets.sync.client import connect

import maestro as ms
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site
from tests.support.patience import GIVE_UP

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


def sse(http: httpx.Client, ident: str, last: int = 0) -> list[dict[str, object]]:
    with http.stream("GET", f"{JOBS}/{ident}/stream", headers={"Last-Event-ID": str(last)}) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
    return [one for one in map(json.loads, lines) if "seq" in one]


def test_polling_stream_and_socket_give_the_same_events_and_go_on_anywhere(alone: Site) -> None:
    with alone.http() as http:
        job = http.post(JOBS, json={**SMALL, "trials": 60}).json()["id"]
        streamed: list[dict[str, object]] = []
        socketed: list[dict[str, object]] = []

        def read_stream() -> None:
            with alone.http() as own:
                streamed.extend(sse(own, job))

        def read_socket() -> None:
            with connect(f"ws://127.0.0.1:{alone.port}{JOBS}/{job}/ws", proxy=None) as socket:
                socketed.extend(one for one in map(json.loads, socket) if "seq" in one)

        readers = [threading.Thread(target=read) for read in (read_stream, read_socket)]
        for reader in readers:
            reader.start()
        alone.work()
        for reader in readers:
            reader.join(GIVE_UP)
        polled, after = [], 0
        while True:
            answer = http.get(f"{JOBS}/{job}/events?after={after}&wait=5").json()
            if not answer["events"]:
                break
            polled += answer["events"]
            after = polled[-1]["seq"]
        assert [event["kind"] for event in polled] == ["queued", "started", *["fold"] * 3, "done"]
        assert streamed == socketed == polled
        assert sse(http, job, polled[2]["seq"]) == polled[3:]


def test_the_catalogue_and_the_description(alone: Site) -> None:
    with alone.http() as http:
        names = [one["name"] for one in http.get("/api/v2/strategies").json()]
        assert names[:22] == ms.strategies()
        schema = http.get("/api/v2/strategies/RSIStrategy").json()["parameters"]["properties"]
        assert all({"type", "default", "description"} <= one.keys() for one in schema.values())
        assert http.get("/api/v2/strategies/RSIStrateg").json()["detail"].endswith("Did you mean 'RSIStrategy'?")
        assert "sample:AAPL" in http.get("/api/v2/series").json()
        description = http.get("/openapi.json").json()
        body = description["paths"][JOBS]["post"]["requestBody"]["content"]["application/json"]
        assert {"usual", "of 2020"} <= body["examples"].keys()
        assert http.get("/readyz").json() == {"status": "ready"}


def test_metrics_have_the_names_of_the_seed(alone: Site) -> None:
    with alone.http() as http:
        http.post(JOBS, json=SMALL)
        waiting = http.get("/metrics").text
        assert "maestro_queue_length 1.0" in waiting
        alone.work()
        text = http.get("/metrics").text
        for line in (
            'maestro_optimization_runs_total{provider="SAMPLE",strategy="EmaCrossStrategy",symbol="AAPL"} 1.0',
            'maestro_optimization_duration_seconds_count{phase="running",strategy="EmaCrossStrategy"} 1.0',
            'maestro_backtest_duration_seconds_count{engine="fast"} 24.0',
            "maestro_active_optimizations 0.0",
            'maestro_best_sharpe_ratio{strategy="EmaCrossStrategy",symbol="AAPL"}',
            "maestro_queue_length 0.0",
            "maestro_http_request_seconds_bucket",
        ):
            assert line in text
        assert http.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 404
