"""The compiler of the kernels: Numba's ``njit``, its caches on disk dropped when a file with kernels has changed.

Numba knows a cached function to be stale by its own file only: a kernel that calls one of another file would go on
with the old callee, and a number would come from code that is no longer there.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import numba
from numba import njit

from maestro._core.atomic import write_atomic

__all__ = ["kernel_files", "njit"]

_ROOT = Path(__file__).parents[1]


def kernel_files() -> list[Path]:
    """Every file of the package that takes the compiler from here, sorted."""
    return sorted(path for path in _ROOT.rglob("*.py") if b"_core.compiled import" in path.read_bytes())


def _state_of_sources() -> str:
    """Name, time and size of every file that holds kernels."""
    lines = [f"{path.relative_to(_ROOT)} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in kernel_files()]
    return "\n".join([numba.__version__, *lines])


def _drop_stale() -> None:
    stamp = _ROOT / "__pycache__" / "kernels.stamp"
    state = _state_of_sources()
    if stamp.exists() and stamp.read_text() == state:
        return
    # Where the package cannot be written to, Numba keeps its caches elsewhere and nothing stale lies here.
    with contextlib.suppress(OSError):
        for index in _ROOT.rglob("*.nbi"):
            index.unlink(missing_ok=True)
        write_atomic(stamp, state.encode())


_drop_stale()
