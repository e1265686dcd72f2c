"""Structured logs: one JSON object per line, with the ids of request and job, and never a secret."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from maestro._core.json import dumps

_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET = ("password", "token", "secret", "authorization", "cookie", "key")


class JsonFormatter(logging.Formatter):
    """Formats a record, and what was given as `extra`, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        given = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        line |= {name: value for name, value in given.items() if not any(word in name.lower() for word in _SECRET)}
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return dumps(line)


def log_to_stderr(level: str = "INFO") -> None:
    """Send the logs of the service and of its schedule to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("maestro.service", "maestro.operations", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(level)
