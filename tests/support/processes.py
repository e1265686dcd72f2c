"""Processes that tests need: one that has ended, whose number nobody has."""

from __future__ import annotations

import subprocess
import sys


def ended_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid
