"""The worker's side of the job queue: claim a job, renew its lease, report progress, finish or release it.

A lease is counted in monotonic time, which all processes of a machine share and no change of the clock moves. A lease
that ends further ahead than any can is from before a restart, and free.
"""

from __future__ import annotations

import time
from typing import Any

from maestro.service.jobs.database import Database
from maestro.service.jobs.job import REMOVED, Job
from maestro.service.jobs.queue import add_event

LEASE = 10.0
"""Seconds after which the job of a worker that no longer answers is free."""
ATTEMPTS = 3
"""Workers that may die within one fold before the job fails."""

_FREE = "(lease_until IS NULL OR lease_until < :now OR lease_until > :now + :lease)"  # the last: from before a restart
_CLAIMABLE = f"""
(state = 'queued' OR (state = 'running' AND {_FREE}))
AND NOT EXISTS (
    SELECT 1 FROM jobs AS other WHERE other.run = jobs.run AND other.id != jobs.id AND other.state = 'running'
    AND other.lease_until >= :now AND other.lease_until <= :now + :lease)
"""


def _died(folds: int, idempotency: str | None) -> str:
    """Words for a job whose workers died; `folds` is 0 for a backtest."""
    on, kept = ("the same fold", ", which goes on from the finished folds") if folds else ("this backtest", "")
    key = "" if idempotency is None else " with a new Idempotency-Key"
    return (
        f"{ATTEMPTS} workers in a row died while they computed {on} (killed, or out of memory?); "
        f"submit the job again{key}{kept}. If it fails again, ask an admin for the workers' logs."
    )


class Leases:
    """The queue for one worker.

    Parameters
    ----------
    database : Database
    worker : str
        A name that no other worker has.
    lease : float [s]
    """

    def __init__(self, database: Database, worker: str, *, lease: float = LEASE) -> None:
        self.database, self.worker, self.lease = database, worker, lease

    def claim(self) -> Job | None:
        """Take the next job: by priority, then of the user with the fewest running jobs, then the oldest.

        A job whose worker no longer answers is taken over; after `ATTEMPTS` deaths within one fold it fails. Two jobs
        of one run never run at once: the second follows the first.
        """
        times = {"now": time.monotonic(), "lease": self.lease}
        if self.database.row(f"SELECT 1 FROM jobs WHERE {_CLAIMABLE} LIMIT 1", times) is None:
            return None
        with self.database.writing() as connection:
            for row in connection.execute(f"SELECT * FROM jobs WHERE state = 'running' AND {_FREE}", times).fetchall():
                if row["cancel"]:
                    self._close(connection, row["id"], "cancelled", {"done": row["done"]})
                elif row["attempts"] >= ATTEMPTS:
                    words = _died(row["folds"], row["idempotency"])
                    self._close(connection, row["id"], "failed", {"error": words, "error_type": "WorkerDied"})
            row = connection.execute(
                f"""
                UPDATE jobs SET state = 'running', worker = :worker, lease_until = :now + :lease,
                    attempts = attempts + 1, started = COALESCE(started, :clock)
                WHERE id = (
                    SELECT id FROM jobs WHERE {_CLAIMABLE}
                    ORDER BY priority DESC,
                        (SELECT COUNT(*) FROM jobs AS busy WHERE busy.owner = jobs.owner AND busy.state = 'running'),
                        number
                    LIMIT 1)
                RETURNING *
                """,
                {**times, "worker": self.worker, "clock": time.time()},
            ).fetchone()
            if row is None:
                return None
            add_event(connection, row["id"], "started", {"worker": self.worker, "attempt": row["attempts"]})
            return Job.of(row)

    def renew(self, job: Job, done: int) -> bool:
        """Renew a lease and store the number of finished trials; returns False if the worker has lost the job."""
        with self.database.writing() as connection:
            held = connection.execute(
                "UPDATE jobs SET lease_until = ? WHERE id = ? AND worker = ? AND state = 'running'",
                (time.monotonic() + self.lease, job.id, self.worker),
            ).rowcount
            if held:
                connection.execute(
                    "UPDATE jobs SET done = MAX(done, ?) WHERE run = ? AND state IN ('queued', 'running')",
                    (done, job.run),
                )
        return bool(held)

    def cancel_requested(self, job: Job) -> bool:
        """Whether the owner of a job has cancelled it."""
        row = self.database.row("SELECT cancel FROM jobs WHERE id = ?", (job.id,))
        return row is not None and bool(row["cancel"])

    def fold(self, job: Job, fold: int, data: dict[str, Any]) -> None:
        """Report a finished fold once to every job of the run, and reset the count of attempts."""
        with self.database.writing() as connection:
            mine = connection.execute(
                "UPDATE jobs SET attempts = 1 WHERE id = ? AND worker = ? AND state = 'running'", (job.id, self.worker)
            ).rowcount
            if mine:
                for (ident,) in self._open(connection, job.run):
                    add_event(connection, ident, "fold", {"fold": fold, **data}, f"fold:{fold}")

    def note(self, job: Job, words: str) -> None:
        """Add a note to every job of the run: a message that does not affect the result."""
        with self.database.writing() as connection:
            if self._holds_lease(connection, job):
                for (ident,) in self._open(connection, job.run):
                    add_event(connection, ident, "note", {"note": words})

    def finish(self, job: Job, sharpe: float | None, seconds: float | None) -> None:
        """Close a job as done, together with all jobs that wait for the same run."""
        with self.database.writing() as connection:
            if self._holds_lease(connection, job):
                connection.execute(
                    "UPDATE jobs SET error = NULL, error_type = NULL WHERE run = ? AND error_type = ?",
                    (job.run, REMOVED),
                )  # of earlier jobs, whose run is there again
                for (ident,) in self._open(connection, job.run):
                    connection.execute("UPDATE jobs SET sharpe = ?, done = total WHERE id = ?", (sharpe, ident))
                    self._close(connection, ident, "done", {"run": job.run, "seconds": seconds, "sharpe_ratio": sharpe})

    def fail(self, job: Job, error: str, error_type: str) -> None:
        """Close a job as failed."""
        with self.database.writing() as connection:
            if self._holds_lease(connection, job):
                self._close(connection, job.id, "failed", {"error": error, "error_type": error_type})

    def cancelled(self, job: Job, done: int) -> None:
        """Close a job as cancelled."""
        with self.database.writing() as connection:
            if self._holds_lease(connection, job):
                self._close(connection, job.id, "cancelled", {"done": done})

    def release(self, job: Job, why: str) -> None:
        """Return a job to the queue, as if it had never been claimed."""
        with self.database.writing() as connection:
            if self._holds_lease(connection, job):
                connection.execute(
                    "UPDATE jobs SET state = 'queued', worker = NULL, lease_until = NULL, "
                    "attempts = MAX(attempts - 1, 0) WHERE id = ?",
                    (job.id,),
                )
                add_event(connection, job.id, "requeued", {"why": why})

    def release_all(self, why: str) -> None:
        """Return every job of this worker to the queue; a cancelled one is closed as cancelled."""
        for row in self.database.rows("SELECT * FROM jobs WHERE worker = ? AND state = 'running'", (self.worker,)):
            job = Job.of(row)
            if row["cancel"]:
                self.cancelled(job, row["done"])
            else:
                self.release(job, why)

    def _holds_lease(self, connection: Any, job: Job) -> bool:
        row = connection.execute(
            "SELECT 1 FROM jobs WHERE id = ? AND worker = ? AND state = 'running'", (job.id, self.worker)
        ).fetchone()
        return row is not None

    @staticmethod
    def _open(connection: Any, run: str) -> list[Any]:
        rows: list[Any] = connection.execute(
            "SELECT id FROM jobs WHERE run = ? AND state IN ('queued', 'running')", (run,)
        ).fetchall()
        return rows

    @staticmethod
    def _close(connection: Any, ident: str, state: str, data: dict[str, Any]) -> None:
        connection.execute(
            "UPDATE jobs SET state = ?, error = ?, error_type = ?, finished = ?, worker = NULL, lease_until = NULL, "
            "cancel = 0 WHERE id = ?",
            (state, data.get("error"), data.get("error_type"), time.time(), ident),
        )
        add_event(connection, ident, state, data, "closed")
