"""Values as JSON: finite, and the same for every caller."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

from maestro._core.json import as_text, dumps, plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float64("nan"), None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (True, True),
        (np.array([1.0, np.nan]), [1.0, None]),
        (pl.Series([1, 2]), [1, 2]),
        ((1, [2.5, None]), [1, [2.5, None]]),
        ({"b", "a"}, ["a", "b"]),
        (MappingProxyType({1: float("inf")}), {"1": None}),
        (datetime(2020, 1, 31, 7, tzinfo=UTC), "2020-01-31T07:00:00+00:00"),
        (date(2020, 1, 31), "2020-01-31"),
        (np.datetime64("2020-01-31"), "2020-01-31"),
        (Path("a") / "b", str(Path("a/b"))),
    ],
)
def test_a_value_becomes_what_any_json_reader_takes(value: object, expected: object) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(dumps({"value": value}), parse_constant=pytest.fail) == {"value": expected}


def test_text_is_kept_as_it_is_and_the_rest_is_json() -> None:
    assert as_text("rolling:10,2,1") == "rolling:10,2,1"
    assert as_text(None) == "null"
    assert as_text(["ä", 1]) == '["ä", 1]'
    assert dumps("ä", ensure_ascii=True) == '"\\u00e4"'
