"""Jobs and events, as read from the database."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OPEN = ("queued", "running")
REMOVED = "RunRemoved"
"""Error type of a finished job whose run was removed from the disk."""
LOCAL = "local"
"""Owner of the jobs of a service without users: whoever runs it."""
CLOSED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Job:
    """One walk-forward or backtest that a user submitted.

    Attributes
    ----------
    id, run : str
        Of the job, and of the run on disk that it makes; several jobs may make, or follow, one run.
    owner, name : str
    spec : dict
        The specification as it was submitted, complete.
    state : {"queued", "running", "done", "failed", "cancelled"}
    folds : int
        0 for a backtest.
    done, total : int
        Trials.
    attempts : int
        Workers that began the fold at hand.
    error : str or None
    created, started, finished : float or None [s since 1970]
    """

    number: int
    id: str
    owner: str
    name: str
    spec: dict[str, Any]
    run: str
    strategy: str
    provider: str
    symbol: str
    folds: int
    total: int
    done: int
    state: str
    priority: int
    attempts: int
    worker: str | None
    cancel: bool
    error: str | None
    error_type: str | None
    sharpe: float | None
    created: float
    started: float | None
    finished: float | None

    @classmethod
    def of(cls, row: sqlite3.Row) -> Job:
        """Build a job from a row of the table."""
        values = {name: row[name] for name in cls.__slots__}
        return cls(**{**values, "spec": json.loads(row["spec"]), "cancel": bool(row["cancel"])})

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN

    @property
    def kind(self) -> str:
        """``walk-forward`` or ``backtest``."""
        return str(self.spec.get("kind", "walk-forward"))  # jobs of earlier versions have none

    def public(self) -> dict[str, Any]:
        """What its owner is shown."""
        return {
            "id": self.id, "run": self.run, "owner": self.owner, "name": self.name, "state": self.state,
            "kind": self.kind, "strategy": self.strategy, "provider": self.provider, "symbol": self.symbol,
            "folds": self.folds, "done": self.done, "total": self.total, "priority": self.priority, "error": self.error,
            "error_type": self.error_type, "sharpe_ratio": self.sharpe, "created": _iso(self.created),
            "started": _iso(self.started), "finished": _iso(self.finished), "spec": self.spec,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a job; numbers increase, so a reader can resume after the last one it received."""

    seq: int
    at: float
    kind: str
    data: dict[str, Any]

    def public(self) -> dict[str, Any]:
        """What a reader is sent."""
        return {"seq": self.seq, "at": _iso(self.at), "kind": self.kind, "data": self.data}


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
