"""The progress of a fetch on stderr: rows, rate, time left, and why it waits."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from maestro.data.stores import SeriesKey
from maestro.data.sync import Progress


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Show one bar for all series of a fetch; the total grows as series find out what they lack."""
    if quiet:
        yield None
        return
    latest: dict[SeriesKey, Progress] = {}
    bars: list[Any] = []  # none before the first page: where nothing is missing there is nothing to show
    live = sys.stderr.isatty()

    def show(progress: Progress) -> None:
        latest[progress.key] = progress
        if not bars:
            bars.append(tqdm(unit=" rows", mininterval=0.1 if live else 10.0, dynamic_ncols=live))
        bar = bars[0]
        bar.total = sum(one.total for one in latest.values())
        bar.set_description_str(str(progress.key) if len(latest) == 1 else f"{len(latest)} series", refresh=False)
        bar.update(sum(one.done for one in latest.values()) - bar.n)

    handler, logger = _Beside(), logging.getLogger("maestro.data")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield show
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        for bar in bars:
            bar.close()


class _Beside(logging.Handler):
    """Lines above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)
