"""Calendar lengths: months of different lengths, forwards and back."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.data.durations import duration_unit, offset, truncate


def us(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


@pytest.mark.parametrize(
    ("text", "unit"),
    [("6mo", "mo"), ("2w", "w"), ("90d", "d"), ("1q", "q"), ("24h", "h"), ("1y", "y"),
     ("0d", None), ("-6mo", None), ("mo", None), ("5m", None), (6, None)],
)  # fmt: skip
def test_the_unit_of_a_length(text: object, unit: str | None) -> None:
    assert duration_unit(text) == unit


@pytest.mark.parametrize(
    ("unit", "start"), [("1y", "2024-01-01"), ("1q", "2024-04-01"), ("1mo", "2024-05-01"), ("1w", "2024-05-13"),
                        ("1d", "2024-05-17")],
)  # fmt: skip
def test_a_stamp_is_cut_to_the_start_of_its_calendar_unit(unit: str, start: str) -> None:
    assert truncate(us("2024-05-17T13:45:12"), unit) == us(start)


def test_a_month_after_the_31st_is_the_last_day_of_february() -> None:
    assert offset(us("2024-01-31T06:00"), "1mo") == us("2024-02-29T06:00")
    assert offset(us("2024-03-31"), "-1mo") == us("2024-02-29")
    assert offset(us("2023-12-31"), "2w") == us("2024-01-14")
    assert offset(us("1969-12-31"), "1d") == 0
