"""The progress of a fetch on stderr: rows, rate, time left, and why it waits."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    live = sys.stderr.isatty()
    with tqdm(unit=" rows", file=sys.stderr, mininterval=0.1 if live else 10.0, dynamic_ncols=live, leave=True) as bar:

        def show(progress: Progress) -> None:
            latest[progress.key] = progress
            bar.total = sum(one.total for one in latest.values())
            bar.set_description_str(str(progress.key) if len(latest) == 1 else f"{len(latest)} series", refresh=False)
            bar.update(sum(one.done for one in latest.values()) - bar.n)

        handler = _Beside()
        logger = logging.getLogger("maestro.data")
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield show
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)


class _Beside(logging.Handler):
    """Lines above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)
