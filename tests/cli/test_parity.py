"""``maestro parity`` refuses engines and strategies that do not exist, with the nearest name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.commands import Done


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(("RSIStrateg",), "RSIStrategy"), (("RSIStrategy", "--engine", "backtrade"), "backtrader")],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    run: Callable[..., Done], arguments: tuple[str, ...], name: str
) -> None:
    done = run("parity", *arguments, "-d", "sample:AAPL", "--no-progress")
    assert (done.code, done.out) == (2, "")
    assert f"'{name}'" in done.err
