"""``/metrics`` for Prometheus: jobs from their table at each scrape, latencies of this process, and gauges."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maestro.service.jobs import Database
from maestro.service.web.gauges import Gauges

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)


class Metrics:
    """A registry of its own, with a collector of jobs, gauges of what they need, and a histogram of requests."""

    def __init__(self, database: Database, runs_dir: Path) -> None:
        import prometheus_client as prometheus

        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._prometheus = prometheus
        self._database = database
        self._gauges = Gauges(database.folder, runs_dir)
        self.registry = prometheus.CollectorRegistry()
        self.registry.register(self)  # type: ignore[arg-type]
        self._seconds = prometheus.Histogram(
            "maestro_http_request_seconds", "Time of a request until its answer begins.", ["method", "status"],
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip

    def observe(self, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH") else "other"
        self._seconds.labels(known, f"{status // 100}xx").observe(seconds)

    def text(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return bytes(self._prometheus.generate_latest(self.registry))

    def collect(self) -> Iterator[Any]:
        """Yield the families that are read at each scrape."""
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

        for gauge in self._gauges.read():
            family = GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
            for labels, value in gauge.values.items():
                family.add_metric(labels, value)
            yield family
        rows = self._database.rows
        runs = CounterMetricFamily(
            "maestro_optimization_runs", "Jobs that ended.", labels=["strategy", "provider", "symbol"]
        )
        for row in rows(
            "SELECT strategy, provider, symbol, COUNT(*) AS n FROM jobs WHERE finished IS NOT NULL GROUP BY 1, 2, 3"
        ):
            runs.add_metric([row["strategy"], row["provider"], row["symbol"]], row["n"])
        errors = CounterMetricFamily(
            "maestro_optimization_errors", "Jobs that failed.", labels=["strategy", "error_type"]
        )
        for row in rows("SELECT strategy, error_type, COUNT(*) AS n FROM jobs WHERE state = 'failed' GROUP BY 1, 2"):
            errors.add_metric([row["strategy"], row["error_type"] or "unknown"], row["n"])
        durations = SummaryMetricFamily(
            "maestro_optimization_duration_seconds", "Seconds of finished jobs, waiting and running.",
            labels=["strategy", "phase"],
        )  # fmt: skip
        backtests = SummaryMetricFamily(
            "maestro_backtest_duration_seconds",
            "Seconds of finished jobs, spread over their trials.",
            labels=["engine"],
        )
        for row in rows(
            "SELECT strategy, COUNT(*) AS n, SUM(started - created) AS waited, SUM(finished - started) AS ran "
            "FROM jobs WHERE state = 'done' AND started IS NOT NULL GROUP BY 1"
        ):
            durations.add_metric([row["strategy"], "queued"], row["n"], max(row["waited"], 0.0))
            durations.add_metric([row["strategy"], "running"], row["n"], max(row["ran"], 0.0))
        spent = {"fast": (0, 0.0)}
        for row in rows(
            "SELECT CASE WHEN folds > 0 THEN 'fast' ELSE json_extract(spec, '$.engine') END AS engine, "
            "SUM(total) AS trials, SUM(finished - started) AS ran FROM jobs WHERE state = 'done' "
            "AND started IS NOT NULL GROUP BY 1"
        ):
            spent[row["engine"]] = row["trials"], max(row["ran"], 0.0)
        for engine, (trials, seconds) in spent.items():
            backtests.add_metric([engine], trials, seconds)
        best = GaugeMetricFamily(
            "maestro_best_sharpe_ratio", "Best out-of-sample Sharpe ratio of a finished run.",
            labels=["strategy", "symbol"],
        )  # fmt: skip
        for row in rows(
            "SELECT strategy, symbol, MAX(sharpe) AS best FROM jobs WHERE sharpe IS NOT NULL AND folds > 0 "
            "GROUP BY 1, 2"
        ):
            best.add_metric([row["strategy"], row["symbol"]], row["best"])
        (now,) = rows(
            "SELECT SUM(state = 'running') AS running, SUM(state = 'queued') AS queued, "
            "MIN(CASE WHEN state = 'queued' THEN created END) AS oldest FROM jobs WHERE state IN ('queued', 'running')"
        )
        age = 0.0 if now["oldest"] is None else max(time.time() - now["oldest"], 0.0)
        yield from (runs, errors, durations, backtests, best)
        yield GaugeMetricFamily("maestro_active_optimizations", "Jobs that run.", now["running"] or 0)
        yield GaugeMetricFamily("maestro_queue_length", "Jobs that wait.", now["queued"] or 0)
        yield GaugeMetricFamily("maestro_queue_oldest_seconds", "Age of the oldest job that waits.", age)
