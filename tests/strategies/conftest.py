"""Runs the tests of a family of strategies for each of its names."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = getattr(metafunc.cls, "names", None)
    if names is not None and "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names)
