"""``maestro worker --check`` tells from its exit code whether a worker of this machine is alive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maestro._core.processes import host_id
from maestro.service.heartbeat import Heartbeat
from tests.cli.commands import Done


def test_check_succeeds_only_with_a_worker_of_this_machine(run: Callable[..., Done], tmp_path: Path) -> None:
    check = ("worker", "--check", "--folder", str(tmp_path / "service"))
    assert run(*check).code == 1
    Heartbeat(tmp_path / "service", "elsewhere-1").begin()
    assert run(*check).code == 1
    Heartbeat(tmp_path / "service", f"{host_id()}-1").begin()
    assert run(*check).code == 0


def test_a_worker_without_a_core_is_refused(run: Callable[..., Done]) -> None:
    done = run("worker", "--cores", "0")
    assert done.code == 2
    assert "--cores" in done.err
