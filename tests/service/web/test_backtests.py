"""Backtests over HTTP: one by each of the engines of 2020, its tables in every form, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
from typing import Any

import polars as pl
import pytest

import maestro as ms
from maestro.engine import Backtest
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site

JOBS = "/api/v2/optimizations"
OLD: dict[str, Any] = {
    "test_name": "ema on AAPL", "data": "sample:AAPL", "strategy": "EmaCrossStrategy",
    "strategy_params": {"fast": 10, "slow": 50}, "cash": 50_000, "commissions": 0.002, "start_date": 1262304000000,
    "end_date": 1356998400000, "kind": "BACKTESTING",
}  # fmt: skip


def of_the_library(engine: str) -> Backtest:
    return ms.backtest(
        ms.load("sample:AAPL", start="2010", end="2013"), "EmaCrossStrategy", params={"fast": 10, "slow": 50},
        cash=50_000, costs=ms.Costs(fee=0.002), engine=engine,
    )  # fmt: skip


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_the_request_of_2020_gives_the_numbers_of_the_library(version: str, alone: Site) -> None:
    own = of_the_library(version)
    with alone.http() as http:
        job = http.post(JOBS, json={**OLD, "engine_version": version}).json()
        assert (job["kind"], job["folds"], job["total"], job["state"]) == ("backtest", 0, 1, "queued")
        alone.work()
        done = http.get(f"{JOBS}/{job['id']}").json()
        assert (done["state"], done["done"]) == ("done", 1), done
        result = done["links"]["result"]
        for name, table in (("equity", own.equity), ("trades", own.trades), ("orders", own.orders),
                            ("bars", own.bars.to_frame())):  # fmt: skip
            parquet = http.get(f"{result}/{name}?format=parquet")
            assert pl.read_parquet(io.BytesIO(parquet.content)).equals(table, null_equal=True)
            arrow = http.get(f"{result}/{name}?format=arrow").content
            assert pl.read_ipc_stream(io.BytesIO(arrow)).equals(table, null_equal=True)
            assert len(http.get(f"{result}/{name}").json()["rows"]) == len(table)
        summary = http.get(result).json()
        assert summary["metrics"]["final_equity"] == own.metrics["final_equity"]
        assert summary["notes"] == list(own.notes)
        assert http.get(f"{result}?schema=v1").json() == json.loads(json.dumps(own.to_v1())) | {
            "processing_time": summary["seconds"]
        }
        again = http.post(JOBS, json={**OLD, "engine_version": version, "test_name": "another label"})
        assert (again.status_code, again.json()["id"]) == (200, job["id"])
        text = http.get("/metrics").text
        assert f'maestro_backtest_duration_seconds_count{{engine="{own.engine}"}} 1.0' in text
        assert "maestro_best_sharpe_ratio{" not in text, "that of a backtest is in sample"


def test_a_backtest_has_no_report_verdict_folds_or_trials(alone: Site) -> None:
    with alone.http() as http:
        estimate = http.post(f"{JOBS}/estimate", json=OLD).json()
        assert 0 < estimate["core_seconds"] < 60
        assert http.post(f"{JOBS}/estimate", json={**OLD, "engine_version": "v1"}).json()["core_seconds"] is None
        job = http.post(JOBS, json=OLD).json()
        assert job["run"] == estimate["run"]
        alone.work()
        result = f"/api/v2/results/{job['run']}"
        for name in ("report", "verdict", "folds", "trials"):
            answer = http.get(f"{result}/{name}")
            assert answer.status_code == 404
            assert f"backtest {job['run']} has no" in answer.json()["detail"]
        refused = http.post(JOBS, json={**SMALL, "engine_version": "v1"}).json()
        assert (refused["status"], refused["field"], refused["value"]) == (422, "engine_version", "v1")
        assert "no windows of folds" in refused["rule"]
        assert refused["remedy"].startswith("give fast (v2), or kind backtest")


def test_a_removed_backtest_is_run_again_and_a_damaged_one_is_refused(alone: Site) -> None:
    with alone.http() as http:
        job = http.post(JOBS, json=OLD).json()
        alone.work()
        result = f"/api/v2/results/{job['run']}"
        folder = alone.service.runs_dir / "backtests" / job["run"]
        before = http.get(f"{result}/equity?format=parquet").content
        content = (folder / "trades.parquet").read_bytes()
        (folder / "trades.parquet").write_bytes(content[:-1])
        broken = http.get(f"{result}/trades").json()
        assert broken["status"] == 500
        assert "trades.parquet is damaged" in broken["detail"]
        assert str(folder) not in broken["detail"]
        shutil.rmtree(folder)
        assert http.get(result).status_code == 410
        again = http.post(JOBS, json=OLD).json()
        assert again["id"] != job["id"]
        alone.work()
        assert http.get(f"{result}/equity?format=parquet").content == before


def test_it_is_its_owners_and_counts_in_the_quota(site: Site) -> None:
    site.service.queue.quota = 1
    with site.http("anna") as anna, site.http("ben") as ben, site.http("vic") as vic:
        job = anna.post(JOBS, json=OLD).json()
        assert anna.post(JOBS, json={**OLD, "cash": 1000}).status_code == 429
        assert vic.post(JOBS, json=OLD).status_code == 403
        assert ben.get(f"{JOBS}/{job['id']}").status_code == 404
        assert anna.post(f"{JOBS}/{job['id']}/cancel").json()["state"] == "cancelled"
        assert [one["kind"] for one in anna.get(JOBS).json()["jobs"]] == ["backtest"]
        assert anna.get(f"/api/v2/results/{job['run']}").status_code == 404
