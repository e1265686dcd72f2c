"""Programs that tests need: nginx, Prometheus, restic, linters; a test without one is skipped, and fails in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTERS = ROOT / ".linters" / "bin"
_OF_LINTERS = ("hadolint", "gixy", "check-jsonschema", "yamllint", "actionlint", "kubeconform")


def program(name: str) -> str:
    """Return the path of a program."""
    places = (os.environ.get("PATH", ""), str(LINTERS), "/usr/sbin", "/sbin")
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        setup = "setup_linters" if name in _OF_LINTERS else "setup_test_services"
        said = f"{name} is not installed; `tools/{setup}` installs it"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(said)
        pytest.skip(said)
    return found
