"""Runs on an MLflow server: the same checks on a stand-in, and on a real server if one is installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import maestro as ms
from maestro.data.stores.questdb_server import free_port
from maestro.errors import ServiceError, SettingsError
from maestro.reports.export.mlflow import pairs as mlflow_pairs
from tests.support.mlflow import StandIn, stand_in
from tests.support.patience import GIVE_UP
from tests.support.programs import program
from tests.support.rules import FALLING, RISING, THREE, Cross, FailsAbove


@pytest.fixture
def local() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = program("mlflow")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    line = [
        command, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--serve-artifacts",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "files"),
    ]  # fmt: skip
    quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, env=quiet, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + GIVE_UP
    try:
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # its workers and consumers too
        server.wait(GIVE_UP)


@pytest.fixture(params=["stand-in", "real"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("real") if request.param == "real" else request.getfixturevalue("local").url)


def runs(url: str, experiment: str) -> list[dict[str, Any]]:
    """Every run of an experiment, with its parameters, metrics and tags as dictionaries."""
    with httpx.Client(base_url=f"{url}/api/2.0/mlflow") as http:
        named = http.get("/experiments/get-by-name", params={"experiment_name": experiment}).json()
        query = {"experiment_ids": [named["experiment"]["experiment_id"]], "max_results": 100}
        found = http.post("/runs/search", json=query).json().get("runs", [])
    kinds = ("params", "metrics", "tags")
    return [
        {**run["info"], **{kind: {p["key"]: p["value"] for p in run["data"].get(kind, [])} for kind in kinds}}
        for run in found
    ]


def test_a_run_is_logged_with_a_nested_run_per_fold(url: str) -> None:
    wf = ms.walk_forward(FALLING, Cross, **THREE, progress=[ms.MLflow(url, experiment="nested", report=False)])
    found = runs(url, "nested")
    [whole] = [run for run in found if "mlflow.parentRunId" not in run["tags"]]
    folds = sorted((run for run in found if run is not whole), key=lambda run: int(run["tags"]["maestro.fold"]))
    assert {run["status"] for run in found} == {"FINISHED"}
    assert (whole["run_name"], whole["tags"]["maestro.run"]) == (wf.spec.title, wf.id)
    assert whole["tags"]["maestro.verdict"] == wf.verdict.conclusion
    assert whole["tags"]["maestro.verdict.preliminary"] == "true"
    expected = {f"oos_{name}": value for name, value in wf.metrics.items() if value == value}
    assert {name: whole["metrics"][name] for name in expected} == pytest.approx(expected)
    assert whole["params"]["trials"] == "6"
    assert whole["params"]["costs.fee"] == "0.001"
    assert json.loads(whole["params"]["space.search.fast"])["low"] == wf.spec.space["fast"].to_dict()["low"]
    assert [run["tags"]["mlflow.parentRunId"] for run in folds] == [whole["run_id"]] * 3
    for run, row in zip(folds, wf.folds.iter_rows(named=True), strict=True):
        assert run["params"]["fast"] == str(row["fast"])
        assert run["params"]["test_start"] == row["test_start"].isoformat()
        scores = {k: v for k, v in row.items() if k.startswith(("is_", "oos_")) and v is not None and v == v}
        assert run["metrics"] == pytest.approx(scores)


def test_the_report_is_an_artifact_and_a_new_verdict_replaces_it(url: str, tmp_path: Path) -> None:
    listener = ms.MLflow(url, experiment="files")
    wf = ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path, progress=listener)
    [run] = [run for run in runs(url, "files") if "maestro.run" in run["tags"]]
    place = f"{url}/api/2.0/mlflow-artifacts/artifacts/{run['artifact_uri'].removeprefix('mlflow-artifacts:/')}"
    assert run["tags"]["maestro.verdict.preliminary"] == "true"
    assert httpx.get(f"{place}/manifest.json").json()["id"] == wf.id
    assert httpx.get(f"{place}/report.html").content == (tmp_path / wf.id / "report.html").read_bytes()
    wf.verdict = replace(wf.verdict, preliminary=False)  # as `ms.verdict` does
    assert listener.log(wf) == run["run_id"]
    [again] = [run for run in runs(url, "files") if "maestro.run" in run["tags"]]
    assert again["tags"]["maestro.verdict.preliminary"] == "false"
    assert httpx.get(f"{place}/verdict.json").json()["preliminary"] is False


def test_a_run_that_is_loaded_is_logged_once(local: StandIn, tmp_path: Path) -> None:
    wf = ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path)
    for _ in range(2):
        listener = ms.MLflow(local.url, report=False)
        loaded = ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path, progress=listener)
        assert loaded.id == wf.id
    assert len(local.runs) == 4


def test_many_walk_forwards_are_logged_beside_a_bar(
    local: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = {"FALLING": FALLING, "RISING": RISING}
    asked: list[Any] = [True, ms.MLflow(local.url, report=False)]
    many = ms.walk_forward_many(series, Cross, **THREE, executor="serial", progress=asked, runs_dir=tmp_path)
    tags = [{one["key"]: one["value"] for one in run["data"]["tags"]} for run in local.runs.values()]
    logged = {one["maestro.run"] for one in tags if "maestro.run" in one}
    assert logged == {many.run("FALLING", "Cross").id, many.run("RISING", "Cross").id}
    assert len(local.runs) == 2 * (1 + 3)
    assert "2/2" in capsys.readouterr().err


def test_a_failed_fold_is_a_failed_run_with_its_error(local: StandIn) -> None:
    wf = ms.walk_forward(RISING, FailsAbove, **THREE, progress=[ms.MLflow(local.url, report=False)])
    assert len(wf.failed_folds) > 0
    failed = {run["tags"]["maestro.fold"]: run for run in runs(local.url, "maestro") if run["status"] == "FAILED"}
    for fold, error in wf.failed_folds.select("fold", "error").iter_rows():
        run = failed.pop(str(fold))
        assert run["tags"]["maestro.error"] == error
        assert "fast" not in run["params"]
        assert not any(name.startswith("oos_") for name in run["metrics"])
    assert failed == {}


@pytest.mark.parametrize("answered", [1, 12])
def test_a_server_that_goes_away_costs_a_warning_and_no_run(local: StandIn, answered: int, tmp_path: Path) -> None:
    local.refusing = answered
    with pytest.warns(RuntimeWarning, match=r"is complete, but MLflow does not have all of it: .* 503"):
        wf = ms.walk_forward(FALLING, Cross, **THREE, runs_dir=tmp_path, progress=[ms.MLflow(local.url, report=False)])
    local.refusing = None
    ms.MLflow(local.url, report=False).log(ms.load_run(tmp_path / wf.id))
    finished = [r for r in runs(local.url, "maestro") if r["status"] == "FINISHED" and "maestro.run" in r["tags"]]
    assert len(finished) == 1
    children = [r for r in runs(local.url, "maestro") if r["tags"].get("mlflow.parentRunId") == finished[0]["run_id"]]
    assert len(children) == 3


def test_no_server_costs_a_warning_and_no_run() -> None:
    message: list[str] = []
    address = f"http://127.0.0.1:{free_port()}"
    wf = ms.walk_forward(FALLING, Cross, **THREE, progress=[ms.MLflow(address, say=message.append)])
    [words] = message
    assert f"run {wf.id} is complete" in words
    assert "does not answer" in words
    assert wf.metrics["num_trades"] >= 0


def test_a_server_that_is_none_of_mlflow_or_stores_no_files_is_named(local: StandIn) -> None:
    wf = ms.walk_forward(FALLING, Cross, **THREE)
    local.artifacts = "file:///data"
    with pytest.raises(ServiceError, match="--serve-artifacts"):
        ms.MLflow(local.url).log(wf)
    assert {run["info"]["status"] for run in local.runs.values() if run["info"]["run_name"] == wf.spec.title} == {
        "FAILED"
    }
    local.experiments_get_by_name = lambda given: (200, {})  # type: ignore[method-assign]
    with pytest.raises(ServiceError, match="is this the address of an MLflow server"):
        ms.MLflow(local.url).log(wf)


def test_long_values_are_cut_and_marked() -> None:
    fixed = {"options": [f"option {k}" for k in range(2000)]}
    pairs = mlflow_pairs(fixed)
    assert len(pairs[0]["value"]) <= 6000
    assert pairs[0]["value"].endswith("(cut; whole in manifest.json)")


def test_the_settings_name_the_server_and_log_in(local: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    wf = ms.walk_forward(FALLING, Cross, **THREE)
    with pytest.raises(SettingsError, match=r"servers\.mlflow\.url"):
        ms.MLflow()
    monkeypatch.setenv("MAESTRO_MLFLOW_URL", local.url)
    monkeypatch.setenv("MAESTRO_MLFLOW_EXPERIMENT", "team")
    monkeypatch.setenv("MAESTRO_MLFLOW_TOKEN", "not-a-secret")
    ms.MLflow(report=False).log(wf)
    assert list(local.experiments) == ["team"]
    assert {headers["Authorization"] for headers in local.headers} == {"Bearer not-a-secret"}
