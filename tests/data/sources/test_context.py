"""What a source gets: clients of one host share their limits, except with a clock of their own."""

from __future__ import annotations

from pathlib import Path

from maestro.config import make_settings
from maestro.data.sources.context import Context
from maestro.data.sources.limits import Budget
from maestro.testing import VirtualClock

URL = "http://context-test.invalid/api"


def test_clients_of_a_host_and_provider_share_its_limits(tmp_path: Path) -> None:
    settings = make_settings({"state_dir": tmp_path})
    one, same, other = (
        Context(provider, settings).client(URL, {"weight": Budget(10, 60)}) for provider in ("A", "A", "B")
    )
    assert one.host is same.host
    assert one.host is not other.host


def test_with_a_clock_nothing_is_shared(tmp_path: Path) -> None:
    context = Context("A", make_settings({"state_dir": tmp_path}), VirtualClock(0.0))
    one, other = (context.client(URL, {"weight": Budget(10, 60)}) for _ in range(2))
    assert one.host is not other.host


def test_a_provider_without_a_section_has_no_address(tmp_path: Path) -> None:
    assert Context("A", make_settings({"state_dir": tmp_path})).server.url is None
