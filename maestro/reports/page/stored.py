"""Text of a run's report, kept in the run's folder where it can be written."""

from __future__ import annotations

import contextlib

from maestro._core.temporary import temporary_folder
from maestro.errors import RunError
from maestro.validation.verdict.result import FILE
from maestro.walkforward.result import WalkForward


def report_text(wf: WalkForward) -> str:
    """Text of a run's report, one page that needs no network.

    It is written to the run's folder, if the run has one, unless it is there and no verdict was made after it.
    """
    if wf.folder is not None:
        path, verdict = wf.folder / "report.html", wf.folder / FILE
        if path.exists() and not (verdict.exists() and verdict.stat().st_mtime > path.stat().st_mtime):
            return path.read_text(encoding="utf-8")
        with contextlib.suppress(RunError, OSError):  # a read-only folder, or a full disk
            return wf.report(path).read_text(encoding="utf-8")
    with temporary_folder("report") as folder:
        return wf.report(folder / "report.html").read_text(encoding="utf-8")
