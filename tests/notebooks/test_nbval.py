"""Every notebook runs in a real kernel from top to bottom, and shows what it says it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_passes_nbval(path: Path, tmp_path: Path) -> None:
    # Lax: widgets and figures have ids of their own in every run; cells marked NBVAL_CHECK_OUTPUT are compared.
    shutil.copy(path, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120",
         "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={tmp_path}", str(tmp_path / path.name)],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
