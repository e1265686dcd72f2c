"""A service's database in a folder of the test, and a specification whose run takes moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro.service.jobs import Database, Job, Queue
from maestro.service.specification import Specification

SMALL: dict[str, Any] = {
    "data": "sample:AAPL",
    "strategy": "EmaCrossStrategy",
    "trials": 8,
    "splitter": "rolling:4,2,1",
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    found = Database(tmp_path / "service")
    yield found
    found.close()


@pytest.fixture
def queue(database: Database) -> Queue:
    """The queue in it."""
    return Queue(database)


@pytest.fixture
def submit(queue: Queue) -> Callable[..., Job]:
    """Submits a small walk-forward, with other fields on top; ``owner`` and ``priority`` are the job's."""

    def add(
        *, owner: str = "anna", priority: int = 0, idempotency: str | None = None, kept: bool = True, **changed: Any
    ) -> Job:
        specification = Specification.of({**SMALL, **changed})
        bars, planned = specification.plan()
        job, _ = queue.submit(
            owner, specification.to_dict(), run=planned.id, strategy=specification.strategy, provider=bars.provider,
            symbol=bars.symbol, folds=planned.folds, trials=planned.trials, priority=priority, idempotency=idempotency,
            kept=kept,
        )  # fmt: skip
        return job

    return add
