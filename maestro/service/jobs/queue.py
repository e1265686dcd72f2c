"""The owner's side of the job queue: submit, list, follow and cancel jobs."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from typing import Any

from maestro._core.json import dumps
from maestro.config import load_settings
from maestro.errors import JobError, QuotaError, ServiceError
from maestro.service.jobs.database import Database
from maestro.service.jobs.job import CLOSED, REMOVED, Event, Job


def add_event(connection: sqlite3.Connection, job: str, kind: str, data: dict[str, Any], key: str = "") -> None:
    """Add an event; one with the key of an earlier event of the job is left out."""
    connection.execute(
        "INSERT OR IGNORE INTO events (job, key, at, kind, data) VALUES (?, ?, ?, ?, ?)",
        (job, key or f"{kind}:{secrets.token_hex(8)}", time.time(), kind, dumps(data)),
    )


class Queue:
    """Jobs of all users in a database; a user may have `quota` open ones, the setting ``service.quota`` if absent."""

    def __init__(self, database: Database, *, quota: int | None = None) -> None:
        self.database = database
        self.quota = load_settings().service.quota if quota is None else quota

    def submit(
        self, owner: str, spec: dict[str, Any], *, run: str, strategy: str, provider: str, symbol: str, folds: int,
        trials: int, name: str = "", priority: int = 0, idempotency: str | None = None, kept: bool = True,
    ) -> tuple[Job, bool]:  # fmt: skip
        """Add a job, or find this user's job for the same run; returns the job and whether it is new.

        A job that failed, was cancelled, or whose run is no longer `kept` on disk is not found: a new one is added.

        Raises
        ------
        QuotaError
            The user has as many open jobs as are allowed.
        ServiceError
            The idempotency key was used for another specification.
        """
        with self.database.writing() as connection:
            if idempotency is not None:
                row = connection.execute(
                    "SELECT * FROM jobs WHERE owner = ? AND idempotency = ?", (owner, idempotency)
                ).fetchone()
                if row is not None:
                    if row["run"] != run:
                        raise ServiceError(
                            f"Idempotency-Key {idempotency!r} was used for run {row['run']}, this is run {run}; "
                            "take a new key for another specification."
                        )
                    return Job.of(row), False
            row = connection.execute(
                "SELECT * FROM jobs WHERE owner = ? AND run = ? AND (state IN ('queued', 'running') "
                "OR (state = 'done' AND ?)) ORDER BY number DESC LIMIT 1",
                (owner, run, kept),
            ).fetchone()
            if row is not None:
                return Job.of(row), False
            (count,) = connection.execute(
                "SELECT COUNT(*) FROM jobs WHERE owner = ? AND state IN ('queued', 'running')", (owner,)
            ).fetchone()
            if count >= self.quota:
                raise QuotaError(
                    f"{owner} has {count} open jobs, and {self.quota} are allowed; wait for one, or cancel one."
                )
            ident = secrets.token_hex(8)
            connection.execute(
                "INSERT INTO jobs (id, owner, name, spec, run, strategy, provider, symbol, folds, total, priority, "
                "created, idempotency) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (ident, owner, name, dumps(spec), run, strategy, provider, symbol, folds,
                 max(folds, 1) * trials, priority, time.time(), idempotency),
            )  # fmt: skip
            add_event(connection, ident, "queued", {"run": run, "folds": folds, "trials": trials}, "queued")
            return Job.of(connection.execute("SELECT * FROM jobs WHERE id = ?", (ident,)).fetchone()), True

    def get(self, ident: str, owner: str | None = None) -> Job:
        """Return a job; with `owner`, only one of that user's.

        Raises
        ------
        JobError
            There is none.
        """
        row = self.database.row(
            "SELECT * FROM jobs WHERE id = :id AND (:owner IS NULL OR owner = :owner)", {"id": ident, "owner": owner}
        )
        if row is None:
            raise JobError(f"there is no job {ident!r}; list those that there are.")
        return Job.of(row)

    def jobs(
        self, owner: str | None = None, *, state: str | None = None, run: str | None = None, before: int | None = None,
        limit: int = 50,
    ) -> list[Job]:  # fmt: skip
        """Return jobs, the newest first; `run` is what they make, `before` the number of the last one seen."""
        rows = self.database.rows(
            "SELECT * FROM jobs WHERE (:owner IS NULL OR owner = :owner) AND (:state IS NULL OR state = :state) "
            "AND (:run IS NULL OR run = :run) AND (:before IS NULL OR number < :before) "
            "ORDER BY number DESC LIMIT :limit",
            {"owner": owner, "state": state, "run": run, "before": before, "limit": limit},
        )
        return [Job.of(row) for row in rows]

    def of_run(self, run: str, owner: str | None = None) -> Job | None:
        """Return the job of a run, of this user if one is given: a finished one, or the newest."""
        row = self.database.row(
            "SELECT * FROM jobs WHERE run = :run AND (:owner IS NULL OR owner = :owner) "
            "ORDER BY state = 'done' DESC, number DESC LIMIT 1",
            {"run": run, "owner": owner},
        )
        return None if row is None else Job.of(row)

    def set_kept(self, run: str, kept: bool) -> int:
        """Note on the finished jobs of a run that it was removed from the disk, or restored; returns how many."""
        words = "its run was removed from the server; submit it again to compute it again."
        values = (None, None, run, REMOVED) if kept else (words, REMOVED, run, "")
        with self.database.writing() as connection:
            return connection.execute(
                "UPDATE jobs SET error = ?, error_type = ? WHERE run = ? AND state = 'done' "
                "AND COALESCE(error_type, '') = ?",
                values,
            ).rowcount

    def events(self, ident: str, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return the events of a job after a number, in order."""
        rows = self.database.rows(
            "SELECT seq, at, kind, data FROM events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?",
            (ident, after, limit),
        )
        return [Event(row["seq"], row["at"], row["kind"], json.loads(row["data"])) for row in rows]

    def cancel(self, ident: str, owner: str | None = None) -> Job:
        """Cancel a job: one that waits at once, one that runs within a second; a finished one stays as it is."""
        job = self.get(ident, owner)
        with self.database.writing() as connection:
            waiting = connection.execute(
                "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'",
                (time.time(), job.id),
            ).rowcount
            if waiting:
                add_event(connection, job.id, "cancelled", {"done": job.done}, "closed")
            else:
                connection.execute("UPDATE jobs SET cancel = 1 WHERE id = ? AND state = 'running'", (job.id,))
        return self.get(ident)

    def wait(self, ident: str, timeout: float) -> Job:
        """Wait for the end of a job, at most `timeout` seconds; returns it as it is then."""
        end = time.monotonic() + timeout
        job = self.get(ident)
        while job.state not in CLOSED and time.monotonic() < end:
            time.sleep(0.02)
            job = self.get(ident)
        return job
