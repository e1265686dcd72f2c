"""The metrics have the names of the 2020 system, and count what ended, failed and waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.service.jobs import Database, Queue
from maestro.service.web.metrics import Metrics
from tests.service.conftest import SMALL
from tests.service.web.conftest import Site
from tests.service.web.test_access import JOBS


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


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    """Metrics of an empty service."""
    return Metrics(Database(tmp_path / "service"), tmp_path / "runs")


def samples(metrics: Metrics) -> dict[str, float]:
    """Values by name and labels."""
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("maestro_")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_an_empty_service_has_no_jobs(metrics: Metrics) -> None:
    found = samples(metrics)
    assert found["maestro_queue_length"] == found["maestro_active_optimizations"] == 0
    assert found["maestro_queue_oldest_seconds"] == 0
    assert found['maestro_backtest_duration_seconds_count{engine="fast"}'] == 0
    assert not [name for name in found if name.startswith("maestro_best_sharpe_ratio")]


def test_jobs_are_counted_by_what_became_of_them(metrics: Metrics, tmp_path: Path) -> None:
    database = Database(tmp_path / "service")
    queue = Queue(database, quota=100)
    spec = {"kind": "backtest", "engine": "backtrader"}
    for number, folds in enumerate((3, 3, 3, 0, 3)):
        queue.submit(
            "anna", spec, run=f"{number:016x}", strategy="Rule", provider="P", symbol="S", folds=folds, trials=4
        )
    with database.writing() as connection:
        for number, changed in (
            (1, "state='done', created=10, started=15, finished=35, sharpe=1.5"),
            (2, "state='done', created=10, started=11, finished=21, sharpe=NULL"),  # its Sharpe ratio is undefined
            (3, "state='failed', created=10, started=11, finished=12, error_type=NULL"),
            (4, "state='done', created=10, started=12, finished=18, sharpe=9.0"),  # a backtest
        ):
            connection.execute(f"UPDATE jobs SET {changed} WHERE number = ?", (number,))
    found = samples(metrics)
    assert found['maestro_optimization_runs_total{provider="P",strategy="Rule",symbol="S"}'] == 4
    assert found['maestro_optimization_errors_total{error_type="unknown",strategy="Rule"}'] == 1
    assert found['maestro_optimization_duration_seconds_sum{phase="queued",strategy="Rule"}'] == 5 + 1 + 2
    assert found['maestro_optimization_duration_seconds_sum{phase="running",strategy="Rule"}'] == 20 + 10 + 6
    assert found['maestro_backtest_duration_seconds_count{engine="fast"}'] == 2 * 3 * 4, "trials of two jobs"
    assert found['maestro_backtest_duration_seconds_sum{engine="fast"}'] == 30
    assert found['maestro_backtest_duration_seconds_sum{engine="backtrader"}'] == 6
    assert found['maestro_best_sharpe_ratio{strategy="Rule",symbol="S"}'] == 1.5, "of walk-forwards only"
    assert found["maestro_queue_length"] == 1
    assert found["maestro_queue_oldest_seconds"] >= 0


def test_requests_with_invented_methods_are_one_label(metrics: Metrics) -> None:
    for method in ("GET", "BREW", "X" * 1000):
        metrics.observe(method, 404, 0.01)
    counts = {name: value for name, value in samples(metrics).items() if "request_seconds_count" in name}
    assert counts == {
        'maestro_http_request_seconds_count{method="GET",status="4xx"}': 1,
        'maestro_http_request_seconds_count{method="other",status="4xx"}': 2,
    }


def test_two_services_in_one_process_have_registries_of_their_own(metrics: Metrics, tmp_path: Path) -> None:
    other = Metrics(Database(tmp_path / "other"), tmp_path / "runs")
    metrics.observe("GET", 200, 0.01)
    assert not [name for name in samples(other) if "request_seconds_count" in name]
