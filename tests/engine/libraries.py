"""Optional libraries of the engines' tests: skipped if not given, but not where the project decides what may land."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest


def library(name: str, extra: str) -> Any:
    """Import a library; without it the tests are skipped, saying so, and with ``CI`` set they fail."""
    if os.environ.get("CI"):
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f'pip install "maestro-research[{extra}]"')
