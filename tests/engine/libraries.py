"""Optional libraries of the engines' tests: skipped if not given, but not where the project decides what may land."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from tests.support.systems import must_be_installed


def library(name: str, extra: str) -> Any:
    """Import a library; without it the tests are skipped, saying so, and in CI on Linux they fail."""
    if must_be_installed():
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f'pip install "maestro-research[{extra}]"')
