"""Rules of bars: each breach is named with its rows, in the numbering of a file or a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maestro.data.files.rules import Rows, check_bars, check_distance, check_order, clip_last_bits, local_hour_hint
from maestro.data.timeframes import DAY_US, HOUR_US, timeframe_us
from maestro.errors import BarsError
from maestro.typing import IntArray

TIME: IntArray = 1_704_067_200_000_000 + HOUR_US * np.arange(6, dtype=np.int64)


def columns(**changed: Any) -> dict[str, Any]:
    base = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1.0}
    return {name: np.full(6, value) for name, value in base.items()} | changed


def with_value(name: str, value: float) -> dict[str, Any]:
    column = columns().get(name, np.zeros(6)).copy()
    column[2] = value
    return columns(**{name: column})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("close", np.nan, "close is missing, NaN or infinite"), ("low", -1.0, "low is not above zero"),
        ("low", 1e-101, "low is too small or too large"), ("high", 8.0, "high is below low"),
        ("close", 13.0, "high is below close"), ("close", 8.5, "low is above close"),
        ("volume", np.inf, "volume is missing, NaN or infinite"), ("volume", -1.0, "volume is negative"),
        ("basis", np.inf, "basis is infinite"), ("funding_rate", 1.5, "funding_rate is above 100 %"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_line(name: str, value: float, message: str) -> None:
    check_bars(TIME, columns())
    with pytest.raises(BarsError, match=rf"{message} at line 4 \(2024-01-01 02:00\)"):
        check_bars(TIME, with_value(name, value), Rows(first_line=2))


def test_an_open_outside_the_range_is_allowed() -> None:
    check_bars(TIME, with_value("open", 50.0))


def test_the_order_of_timestamps() -> None:
    check_order(TIME, Rows())
    with pytest.raises(BarsError, match=r"duplicate timestamp .* at rows 0 and 1 \(1 duplicates in all\)"):
        check_order(TIME[[0, 0, 1]], Rows())
    with pytest.raises(BarsError, match=r"not increasing \(newest first\): row 1 is"):
        check_order(TIME[::-1], Rows())


def test_an_hour_that_clocks_show_twice_has_a_hint() -> None:
    autumn = np.array(["2024-11-03T01:00"], "datetime64[us]").view(np.int64)
    assert "zone='America/New_York'" in local_hour_hint(autumn)
    assert local_hour_hint(autumn + DAY_US) == ""


def test_rounding_of_adjusted_prices_is_widened_and_errors_are_not() -> None:
    rounded = with_value("close", 12.0 * (1 + 1e-15))
    assert clip_last_bits(rounded) == "high or low widened by a last bit (rounding of adjusted prices) in 1 row"
    check_bars(TIME, rounded)
    assert clip_last_bits(with_value("close", 12.1)) == ""
    assert clip_last_bits(columns()) == ""


def test_a_timeframe_that_does_not_fit_is_refused() -> None:
    check_distance(TIME, "1h", HOUR_US)
    for timeframe in ("30m", "4h"):
        with pytest.raises(BarsError, match=f"timeframe '{timeframe}' does not fit: the bars are 1h apart"):
            check_distance(TIME, timeframe, timeframe_us(timeframe))


def test_rows_are_numbered_as_the_user_counts_them() -> None:
    assert Rows()(3) == "row 3"
    assert Rows(np.array([7, 9]), first_line=2)(1) == "line 11"
