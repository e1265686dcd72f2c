"""Programs that tests need, such as nginx and linters; a test without one is skipped, and fails in CI on Linux."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.systems import must_be_installed

ROOT = Path(__file__).parents[2]
LINTERS = ROOT / ".linters" / "bin"
MLFLOW = ROOT / ".mlflow" / "bin"
_SETUP = {
    **dict.fromkeys(("hadolint", "gixy", "check-jsonschema", "yamllint", "actionlint", "kubeconform"), "setup_linters"),
    "mlflow": "setup_mlflow",
}


def program(name: str) -> str:
    """Return the path of a program."""
    places = (os.environ.get("PATH", ""), str(LINTERS), str(MLFLOW), "/usr/sbin", "/sbin")
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        output = f"{name} is not installed; `tools/{_SETUP.get(name, 'setup_test_services')}` installs it"
        if must_be_installed():
            pytest.fail(output)
        pytest.skip(output)
    return found
