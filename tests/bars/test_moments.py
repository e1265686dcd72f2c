"""Moments as users give them: dates, datetimes, ISO text, years and months."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from maestro.bars import as_us
from maestro.errors import BarsError
from tests.bars.tables import HOUR, START


@pytest.mark.parametrize("moment", ["tomorrow", "2024-13-01", "", None, 5, np.datetime64("NaT")])
def test_what_is_no_moment(moment: Any) -> None:
    with pytest.raises(BarsError, match="is not a moment; give a date, a datetime or ISO text"):
        as_us(moment)


def test_moments() -> None:
    zone = datetime(2024, 1, 1, 1, tzinfo=UTC).astimezone(tz=None)
    for moment in (
        "2024-01-01 01:00",
        "2024-01-01T01:00:00Z",
        "2024-01-01T03:00:00+02:00",
        zone,
        datetime(2024, 1, 1, 1),
    ):
        assert as_us(moment) == START + HOUR
    assert as_us(datetime(1969, 12, 31, 23, 59, 59, 500_000)) == -500_000
    assert as_us("2024") == as_us("2024-01") == START
    assert as_us("2024-12") == as_us("2024-12-01")
    assert as_us("1970-01-02") == as_us(date(1970, 1, 2)) == 86_400_000_000
