"""A migration, or its rollback, in a process of its own, to be killed at any moment.

``python -m tests.support.rethink.killed_migration SOURCE STORE FOLDER [ID]`` moves, or with an id takes back.
"""

from __future__ import annotations

import sys
from pathlib import Path

from maestro.data.legacy import Progress, migrate, open_legacy, rollback
from maestro.data.stores import ParquetStore


def tell(progress: Progress) -> None:
    """A line for whoever waits to kill."""
    print(progress.phase, progress.done, flush=True)


if __name__ == "__main__":
    old, store, folder = sys.argv[1], ParquetStore(sys.argv[2]), Path(sys.argv[3])
    source = open_legacy(old)
    print("ready", flush=True)
    if len(sys.argv) > 4:
        report = rollback(sys.argv[4], store, folder=folder, progress=tell)
        assert report.complete
    else:
        done = migrate(source, store, folder=folder, batch=400, progress=tell)
        assert done.complete, done.to_markdown()
    source.close()
    print("done", flush=True)
