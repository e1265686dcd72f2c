"""Old documents become rows: timestamps, numbers, rejected documents, duplicates."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from maestro.data.legacy import Choices
from maestro.errors import SettingsError
from tests.data.legacy.old import HOUR, bars, read, same
from tests.support.rethink.documents import documents, moment

STAMPS: dict[str, Callable[[int], Any]] = {
    "moments": moment,
    "seconds": lambda at: at // 1_000_000,
    "milliseconds": lambda at: at // 1_000,
    "microseconds": lambda at: at,
    "nanoseconds": lambda at: at * 1_000,
    "float seconds": lambda at: at / 1e6,
    "ISO text": lambda at: f"{np.datetime64(at, 'us').astype('datetime64[s]')}Z",
    "text in a zone": lambda at: f"{np.datetime64(at + 5 * HOUR, 'us').astype('datetime64[s]')}+05:00",
    "naive text": lambda at: str(np.datetime64(at, "us").astype("datetime64[s]")).replace("T", " "),
    "text of a number": lambda at: str(at // 1_000),
    "JSON of a moment": lambda at: json.dumps(moment(at)),
}


@pytest.mark.parametrize("form", STAMPS)
def test_stamps_of_every_form_are_read_to_the_microsecond(form: str) -> None:
    rows = bars()
    for defect in (False, True):  # one bad document makes its whole batch be read one by one
        found = documents(rows, STAMPS[form]) + [{"id": "?"}] * defect
        reading, _ = read(found)
        assert same(reading.rows, rows)
        assert sum(reading.rejected.values()) == defect


def test_late_stamps_keep_their_milliseconds() -> None:
    rows = bars().with_columns(pl.col("timestamp") + pl.duration(microseconds=17_000))
    reading, _ = read(documents(rows))
    assert same(reading.rows, rows)
    off = "48 timestamps off the grid, the first 2020-01-01T00:00:00.017000+00:00; kept as they are"
    assert off not in reading.notes, "a source that stamps everything late has a grid of its own"
    reading, _ = read(documents(pl.concat([rows[:3], bars()[3:]])))
    assert "3 timestamps off the grid, the first 2020-01-01T00:00:00.017000+00:00; kept as they are" in reading.notes


def test_every_millisecond_of_a_moment_is_the_same_millisecond_here() -> None:
    stamps = 1_500_000_000_000_000 + 1_000 * np.random.default_rng(2).integers(0, 2 * 10**11, 2_000)
    rows = bars(2_000).with_columns(timestamp=pl.Series(np.sort(stamps)).cast(pl.Datetime("us", "UTC")))
    assert same(read(documents(rows), batch=500)[0].rows, rows)
    assert same(read([*documents(rows), None], batch=5_000)[0].rows, rows)


def test_floats_at_the_edge_of_precision_and_whole_numbers_stay_what_they_are() -> None:
    edge = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, math.nextafter(1, 2), 2.0**53, 1e-7, math.pi, 4.35, 1e22, 7200.0]
    rows = bars(len(edge)).with_columns(close=pl.Series(edge))
    for found in (documents(rows), [json.loads(json.dumps(one)) for one in documents(rows)]):
        reading, rejected = read(found)
        assert same(reading.rows, rows)
        assert not rejected
        assert any("whole numbers where floats belong" in note for note in reading.notes)


def test_a_whole_number_that_no_float_can_hold_is_named_and_not_rounded() -> None:
    for alone in (2**53 + 1, -(2**53) - 1, 2**64 - 1):
        found = documents(bars(5))
        found[1]["volume"] = alone
        assert read(found)[0].rejected == {"volume is a whole number too large to be a float64 without loss": 1}
    found = documents(bars(5))
    found[2]["volume"] = 2**53 + 1
    found[3]["volume"] = 2**60
    found[4]["volume"] = 10**400
    reading, rejected = read(found)
    assert reading.rejected == {
        "volume is a whole number too large to be a float64 without loss": 1,
        "volume is not a number": 1,
    }
    assert [document["volume"] for _, document in rejected] == [2**53 + 1, 10**400]
    assert 2.0**60 in reading.rows["volume"].to_list()


DEFECTS: list[tuple[str, Any, str]] = [
    ("timestamp", None, "it has no timestamp"),
    ("timestamp", 0, "the timestamp is 0 or before 1970"),
    ("timestamp", -86_400, "the timestamp is 0 or before 1970"),
    ("timestamp", {"$reql_type$": "TIME", "epoch_time": None}, "the timestamp is not a moment"),
    ("timestamp", {"epoch_time": 1_514_764_800}, "the timestamp is not a moment"),
    ("timestamp", "yesterday", "the timestamp is not a moment"),
    ("timestamp", "2018-02-30T00:00:00Z", "the timestamp is not a moment"),
    ("timestamp", True, "the timestamp is not a moment"),
    ("timestamp", [], "the timestamp is not a moment"),
    ("timestamp", math.nan, "the timestamp is not a moment"),
    ("timestamp", 4_102_444_800, "the timestamp is in the future"),
    ("open", None, "it has no open"),
    ("volume", None, "it has no volume"),
    ("high", "n/a", "high is not a number"),
    ("high", False, "high is not a number"),
    ("low", math.nan, "low is not finite"),
    ("low", "inf", "low is not finite"),
    ("close", {"value": 1}, "close is not a number"),
]


@pytest.mark.parametrize(("field", "value", "reason"), DEFECTS)
def test_a_document_that_is_no_row_is_rejected_with_its_reason_and_the_others_are_read(
    field: str, value: Any, reason: str
) -> None:
    rows = bars()
    found = documents(rows)
    found[20][field] = value
    for absent in (False, True):
        if absent and value is None:
            del found[20][field]
        reading, rejected = read(found)
        assert reading.rejected == {reason: 1}
        assert rejected[0] == (reason, found[20])
        assert reading.examples[reason] == [json.dumps(found[20], ensure_ascii=False)]
        assert same(reading.rows, rows.filter(pl.int_range(48) != 20))


def test_what_is_no_document_is_rejected() -> None:
    reading, _ = read([*documents(bars(3)), None, 7, "text", []])
    assert reading.rejected == {"it is not a document": 4}
    assert len(reading.rows) == 3


def test_documents_without_volume_take_the_chosen_one() -> None:
    found = documents(bars(10))
    for one in found[:4]:
        del one["volume"]
    reading, _ = read(found, Choices(volume=0))
    assert reading.rows["volume"].to_list()[:4] == [0.0] * 4
    assert "4 documents without volume, taken as 0" in reading.notes
    assert read(found)[0].rejected == {"it has no volume": 4}
    for volume in (-1.0, math.inf, math.nan):
        with pytest.raises(SettingsError, match="--volume"):
            Choices(volume=volume)


def test_equal_documents_of_one_stamp_are_one_and_others_are_a_question() -> None:
    rows = bars()
    found = documents(rows)
    twice = [{**one, "id": f"again {one['id']}"} for one in found[10:13]]
    other = [{**found[30], "id": "first", "close": 1.0}, {**found[30], "id": "last", "close": 2.0}]
    everything_ = [other[0], *found, *twice, found[12] | {"id": "third"}, other[1]]
    reading, rejected = read(everything_)
    assert reading.identical == 4
    assert reading.rejected == {"another document has its timestamp and other values": 3}
    assert {document["timestamp"] for _, document in rejected} == {"2020-01-02T06:00:00+00:00"}
    assert same(reading.rows, rows.filter(pl.int_range(48) != 30))
    for choice, value in (("first", 1.0), ("last", 2.0)):
        reading, _ = read(everything_, Choices(duplicates=choice))
        assert (len(reading.rows), reading.rows["close"][30]) == (48, value)
        assert reading.rejected == {f"another document has its timestamp; the {choice} one counts": 2}
    with pytest.raises(SettingsError, match="--duplicates 'newest' is unknown; give reject, first, last"):
        Choices(duplicates="newest")


def test_close_stamps_become_opens() -> None:
    rows = bars()
    later = rows.with_columns(pl.col("timestamp") + pl.duration(hours=1))
    assert same(read(documents(later), Choices(stamps="close"))[0].rows, rows)


def test_what_is_odd_is_noted_and_moved_as_it_is() -> None:
    found = documents(bars(30))
    found[3] |= {"vwap": 7.0, "note": "x"}
    found[4]["vwap"] = None
    found[5]["high"] = 1e-9
    found[6]["volume"] = -1
    found[7]["close"] = str(found[7]["close"])
    found[8]["timestamp"] = found[8]["timestamp"]["epoch_time"] * 1000
    reading, _ = read(found)
    assert len(reading.rows) == 30
    message = "\n".join(reading.notes)
    assert "field 'vwap' of 2 documents has no place in bars" in message
    assert "field 'note' of 1 documents" in message
    assert "2 rows break a rule of bars, the first 2020-01-01T05:00:00+00:00" in message
    assert "1 numbers written as text" in message
    assert "timestamps come in moments (29), ms (1)" in message
