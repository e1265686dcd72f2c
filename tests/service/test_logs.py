"""Log lines are JSON with what was given as `extra`, and never with a secret."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from maestro.service.logs import JsonFormatter, log_to_stderr


def line(**given: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "maestro.service.web", "levelno": logging.INFO, "levelname": "INFO", "created": 0.5, **given}
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_record_is_one_line_with_its_extra_fields() -> None:
    found = line(msg="job %s ended", args=("abc",), job="abc", ms=float("nan"), path=Path("a/b"))
    assert found == {
        "at": "1970-01-01T00:00:00.500+00:00", "level": "info", "logger": "maestro.service.web",
        "message": "job abc ended", "job": "abc", "ms": None, "path": str(Path("a/b")),
    }  # fmt: skip


def test_secrets_are_left_out() -> None:
    secrets = dict.fromkeys(("Authorization", "refresh_token", "Cookie", "api_key", "password"), "secret")
    found = line(msg="login", user="anna", **secrets)
    assert found.keys() == {"at", "level", "logger", "message", "user"}


def test_an_exception_is_logged_with_its_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        found = line(msg="request failed", exc_info=sys.exc_info())
    assert found["traceback"].startswith("Traceback (most recent call last)")
    assert found["traceback"].endswith("ValueError: two\nlines\n")


def test_logs_of_the_service_go_to_stderr_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("maestro.service", "maestro.operations", "uvicorn.error"):
        logger = logging.getLogger(name)
        for attribute in ("handlers", "propagate", "level"):  # restored at the end
            monkeypatch.setattr(logger, attribute, getattr(logger, attribute))
    log_to_stderr("WARNING")
    log_to_stderr("WARNING")
    log = logging.getLogger("maestro.service.worker")
    log.warning("the queue is empty")
    log.info("not shown")
    [shown] = capsys.readouterr().err.splitlines()
    assert json.loads(shown)["message"] == "the queue is empty"
