"""Which tests need Linux or a POSIX system, and why; elsewhere they are skipped with the reason."""

from __future__ import annotations

import os
import sys

SIGNALS = "Windows has no such signals"
POSIX = {
    "_core/test_compiled.py::test_nothing_is_kept_where_nothing_can_be_written": "the folder is below a POSIX device",
    "apps/test_serving.py::test_the_tile_of_jupyterlab_starts_the_apps_below_its_path": SIGNALS,
    "cli/data/test_commands.py::test_ctrl_c_keeps_what_has_come": SIGNALS,
    "data/stores/test_questdb_server.py::test_without_java_or_maven_the": "writes a shell script",
    "data/test_sync.py::test_killed_at_random_moments": SIGNALS,
    "docs/": "the pages show commands for a POSIX shell",
    "execution/test_executors.py::test_ctrl_c_leaves_a_run_that_goes_on": SIGNALS,
    "operations/backup/test_archives.py::test_a_backup_is_unpacked": "Windows keeps no modes of files",
    "operations/backup/test_restore.py::test_everything_comes_back_and_goes_on": "Windows keeps no modes of files",
    "reports/export/test_mlflow.py": "the real server is ended as a group of processes",
    "runs/test_store.py::test_a_run_killed_at_random_moments": SIGNALS,
    "runs/test_writing.py::test_a_disk_that_fills": "sets limits of the process",
    "service/test_overdue.py": SIGNALS,
    "service/test_worker.py::test_sigkill_of_workers_loses_no_job_and_changes_no_byte": SIGNALS,
    "service/web/test_server.py::test_sig": SIGNALS,
}
"""Beginnings of the names of tests that Windows cannot run, besides those with a `skipif` of their own."""
LINUX = {
    "deploy/": "the files are for Linux",
    "operations/stack/": "nginx and Prometheus are those of Debian",
}
"""The same for tests that only Linux can run."""


def reason_to_skip(name: str, platform: str = sys.platform) -> str | None:
    """Why a test, named as in ``service/test_worker.py::test_x``, cannot run on a system."""
    tables = {"linux": (), "win32": (POSIX, LINUX)}.get(platform, (LINUX,))
    return next((why for table in tables for start, why in table.items() if name.startswith(start)), None)


def must_be_installed() -> bool:
    """Whether a test fails without a program or library that it needs: in CI on Linux, which installs all of them."""
    return sys.platform == "linux" and os.environ.get("CI", "").lower() in ("1", "true")
