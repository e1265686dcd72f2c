"""The state of a service: where its runs are, and whether anybody must log in."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.service.accounts import read_or_make_keys
from maestro.service.web.backtests import BacktestBodies
from maestro.service.web.state import Service


@pytest.fixture(autouse=True)
def without_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAESTRO_SERVICE_HUB", raising=False)


def test_runs_are_in_the_folder_of_the_service_by_default(tmp_path: Path) -> None:
    assert Service(tmp_path / "a").runs_dir == tmp_path / "a" / "runs"
    other = Service(tmp_path / "b", tmp_path / "runs", quota=3)
    assert other.runs_dir == other.bodies.runs_dir == tmp_path / "runs"
    assert other.queue.quota == 3


def test_answers_depend_on_the_kind_of_a_job(tmp_path: Path) -> None:
    service = Service(tmp_path)
    assert service.bodies_of("walk-forward") is service.bodies
    backtests = service.bodies_of("backtest")
    assert isinstance(backtests, BacktestBodies)
    assert backtests is service.bodies_of("backtest"), "its bodies are kept in memory"


def test_logins_are_needed_from_the_first_user_on(tmp_path: Path) -> None:
    service, again = Service(tmp_path), Service(tmp_path)
    assert not service.has_logins
    again.users.add("anna", "admin", "correct horse battery")
    assert service.has_logins
    assert service.tokens.check(again.tokens.sign("anna", "access", 60), "access") is not None, "one key in one folder"
    assert (tmp_path / "service.key").is_file()
    assert read_or_make_keys(tmp_path)
