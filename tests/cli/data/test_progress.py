"""The progress of a fetch adds up all series, prints log lines, and leaves the loggers as they were."""

from __future__ import annotations

import logging

import pytest

from maestro.cli.data.progress import shown_progress
from maestro.data.stores import SeriesKey
from maestro.data.sync import Progress

FIRST, SECOND = (SeriesKey("BINANCE", name, "1h") for name in ("BTCUSDT", "ETHUSDT"))


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=True) as show:
        assert show is None
    assert capsys.readouterr().err == ""


def test_a_fetch_without_missing_rows_draws_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=False) as show:
        assert show is not None
    assert capsys.readouterr().err == ""


def test_all_series_share_one_bar_that_ends_at_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=False) as show:
        assert show is not None
        show(Progress(FIRST, 10, 100))
        show(Progress(SECOND, 5, 50))
        show(Progress(FIRST, 100, 100))
        show(Progress(SECOND, 50, 50))
    shown = capsys.readouterr().err
    assert "2 series" in shown
    assert "150/150" in shown


def test_why_it_waits_is_printed_and_the_logger_is_restored(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("maestro.data")
    before = logger.level, list(logger.handlers)
    with shown_progress(quiet=False):
        logger.info("waiting 3 s")
    assert "waiting 3 s" in capsys.readouterr().err
    assert (logger.level, list(logger.handlers)) == before
