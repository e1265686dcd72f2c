"""Failed logins make a name and an address wait, longer each time, and take a bounded amount of memory."""

from __future__ import annotations

import pytest

from maestro.service.accounts import login_throttle
from maestro.service.accounts.login_throttle import LoginThrottle


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Monotonic time that the test moves."""
    now = [1000.0]
    monkeypatch.setattr(login_throttle.time, "monotonic", lambda: now[0])
    return now


def fail(limits: LoginThrottle, times: int, name: str = "anna", address: str = "1.2.3.4") -> None:
    for _ in range(times):
        limits.failed(name, address)


def test_a_name_waits_from_the_fifth_failure_on_twice_as_long_each_time(clock: list[float]) -> None:
    limits = LoginThrottle()
    fail(limits, 4)
    assert limits.wait("anna", "1.2.3.4") == 0.0
    waits = []
    for _ in range(11):
        fail(limits, 1)
        waits.append(limits.wait("anna", "another address"))
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]
    clock[0] += 299.5
    assert limits.wait("anna", "another address") == pytest.approx(0.5)
    clock[0] += 1.0
    assert limits.wait("anna", "another address") == 0.0


def test_an_address_waits_after_twenty_failures_with_any_names(clock: list[float]) -> None:
    limits = LoginThrottle()
    for number in range(20):
        assert limits.wait(f"user{number}", "1.2.3.4") == 0.0
        fail(limits, 1, name=f"user{number}")
    assert limits.wait("somebody", "1.2.3.4") == 1.0
    assert limits.wait("somebody", "5.6.7.8") == 0.0


def test_a_success_clears_the_name_and_not_the_address(clock: list[float]) -> None:
    limits = LoginThrottle()
    fail(limits, 20)
    limits.succeeded("anna")
    assert limits.wait("anna", "5.6.7.8") == 0.0
    assert limits.wait("anna", "1.2.3.4") == 1.0


def test_failures_are_forgotten_after_a_quarter_of_an_hour(clock: list[float]) -> None:
    limits = LoginThrottle()
    fail(limits, 9)
    clock[0] += 900.0
    assert limits.wait("anna", "1.2.3.4") == 0.0
    fail(limits, 1)
    assert limits.wait("anna", "1.2.3.4") == 0.0, "the count starts again"


def test_memory_is_bounded_and_many_failures_are_not_pushed_out(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "_MOST", 10)
    limits = LoginThrottle()
    fail(limits, 6)
    for number in range(100):
        fail(limits, 1, name=f"user{number}", address=f"10.0.0.{number}")
        clock[0] += 0.001
    assert len(limits._failures) <= 11
    assert limits.wait("anna", "5.6.7.8") > 1.0
    fail(limits, 6, name="x" * 100_000)
    assert max(len(text) for _, text in limits._failures) <= 64
    assert limits.wait("x" * 100_000, "5.6.7.8") == 2.0
