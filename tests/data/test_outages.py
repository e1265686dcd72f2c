"""Gaps of the exchanges: spans as sets of moments, damaged records."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.data.outages import Outages, join, without
from maestro.data.stores import SeriesKey
from maestro.errors import SourceError

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(SPANS, SPANS)
def test_spans_are_sets_of_moments(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def moments(spans: list[tuple[int, int]]) -> set[int]:
        return {at for low, high in spans for at in range(low, high)}

    joined = join(one)
    assert moments(joined) == moments(one)
    assert all(low[1] < high[0] for low, high in itertools.pairwise(joined))
    assert moments(without(joined, other)) == moments(one) - moments(other)


def test_a_damaged_memory_of_outages_is_named(tmp_path: Path) -> None:
    outages = Outages(tmp_path)
    key = SeriesKey("BINANCE", "BTCUSDT", "1h")
    assert outages.read(key) == []
    outages.add(key, [(0, 10), (10, 20)], now_us=10**15)
    assert outages.read(key) == [(0, 20)]
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        with pytest.raises(SourceError, match=r"is damaged.*delete it"):
            outages.read(key)
    path.write_text('{"series": "BINANCE:BTCUSDT:1h", "gaps": [[0, 20]]}')  # of an earlier version
    assert outages.read(key) == [(0, 20)]
    path.write_text("{")
    with pytest.raises(SourceError, match=r"is damaged.*delete it"):
        outages.read(key)
    outages.forget(key)
    assert outages.read(key) == []
