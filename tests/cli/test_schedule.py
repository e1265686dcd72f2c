"""``maestro schedule`` refuses a schedule with nothing to do before it starts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.commands import Done


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "nothing is scheduled; give an interval"),
        (("--fetch", "1h", "--keep", "3"), "--keep 3 is for backups, and none are scheduled"),
        (("--fetch", "soon"), "'soon'"),
        (("--backup", "1d", "--keep", "0"), "--keep"),
    ],
)
def test_a_wrong_schedule_is_refused(run: Callable[..., Done], options: tuple[str, ...], message: str) -> None:
    done = run("schedule", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
