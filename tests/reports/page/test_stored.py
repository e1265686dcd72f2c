"""The text of a report is that of the run's folder, written anew after a new verdict, and made without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from maestro.errors import RunError
from maestro.reports.page.stored import report_text
from maestro.validation.verdict.result import FILE


class Run:
    """A run whose reports are numbered."""

    def __init__(self, folder: Path | None, unwritable: bool = False) -> None:
        self.folder, self.unwritable, self.made = folder, unwritable, 0

    def report(self, path: Path) -> Path:
        if self.unwritable and path.parent == self.folder:
            raise RunError("the disk is full; make room.")
        self.made += 1
        path.write_text(f"report {self.made}", encoding="utf-8")
        return path


def text(run: Any) -> str:
    return report_text(run)


def test_a_report_is_made_once_and_again_after_a_verdict(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert [text(run), text(run)] == ["report 1", "report 1"]
    made = (tmp_path / "report.html").stat().st_mtime
    (tmp_path / FILE).write_text("{}")
    os.utime(tmp_path / FILE, (made - 10, made - 10))
    assert text(run) == "report 1", "the verdict is older"
    os.utime(tmp_path / FILE, (made + 10, made + 10))
    assert text(run) == "report 2"


@pytest.mark.parametrize("has_folder", [True, False])
def test_where_none_can_be_kept_it_is_made_each_time(tmp_path: Path, has_folder: bool) -> None:
    run = Run(tmp_path if has_folder else None, unwritable=True)
    assert [text(run), text(run)] == ["report 1", "report 2"]
    assert list(tmp_path.iterdir()) == []
