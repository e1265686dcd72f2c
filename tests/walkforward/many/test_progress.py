"""Progress: rate and time left."""

from __future__ import annotations

import math

import pytest

from maestro.errors import SettingsError
from maestro.walkforward.many import Cell, Progress
from maestro.walkforward.many.progress import Counter


def test_the_time_left_follows_from_the_rate() -> None:
    assert Progress(4, 10, 0, 2.0, 2.0).remaining == 3.0
    assert math.isinf(Progress(0, 10, 0, 2.0, 0.0).remaining)
    assert Progress(10, 10, 0, 0.0, 0.0).remaining == 0.0


def test_what_was_there_does_not_count_for_the_rate() -> None:
    seen: list[Progress] = []
    counter = Counter(seen.append, 10, there=7, failed=1)
    counter.ended(Cell("A", "1d", "R"), failed=True)
    counter.close()
    assert [(p.done, p.failed) for p in seen] == [(8, 1), (9, 2)]
    assert seen[0].rate == 0.0
    assert seen[1].rate * seen[1].seconds == pytest.approx(1.0)


def test_a_bar_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    counter = Counter(True, 2, 0, 0)
    counter.ended(Cell("A", "1d", "R"), failed=True)
    counter.close()
    shown = capsys.readouterr().err
    assert "walk-forwards" in shown
    assert "1/2" in shown


def test_anything_else_is_refused() -> None:
    with pytest.raises(SettingsError, match="give True, False, a function"):
        Counter("yes", 2, 0, 0)  # type: ignore[arg-type]
