"""Two stores compared: rows that one lacks, values that differ, and equality to the last bit."""

from __future__ import annotations

import numpy as np

import maestro as ms
from maestro.data.comparing import compare
from maestro.data.stores import MemoryStore, SeriesKey

KEY = SeriesKey("BINANCE", "BTCUSDT", "1h")
FRAME = ms.synthetic_bars(100, seed=1).to_frame()


def test_every_kind_of_difference_is_counted_and_shown() -> None:
    one, other = MemoryStore(), MemoryStore()
    one.append(KEY, FRAME)
    other.append(KEY, FRAME)
    other.append(SeriesKey("BINANCE", "ETHUSDT", "1h"), FRAME)  # only the series of the first are compared
    [same] = compare(one, other)
    assert same.equal
    assert same.rows == (100, 100)
    other.delete(KEY, stamps=FRAME["timestamp"][:5])
    one.delete(KEY, stamps=FRAME["timestamp"][-2:])
    changed = FRAME.slice(50, 1)
    changed[0, "close"] = np.nextafter(changed[0, "close"], 1e9)
    other.append(KEY, changed)
    [found] = compare(one, other)
    assert (found.only_first, found.only_second, found.different) == (5, 2, 1)
    assert found.rows == (98, 95)
    assert not found.equal
    assert len(found.examples) == 3 + 2 + 1
    assert "close" in found.examples[-1]
    low = int(FRAME["timestamp"].to_physical()[60])
    high = int(FRAME["timestamp"].to_physical()[90])
    [part] = compare(one, other, [KEY], low, high)
    assert part.equal
    assert part.rows == (30, 30)


def test_a_column_that_one_lacks_differs_where_it_has_values() -> None:
    one, other = MemoryStore(), MemoryStore()
    one.append(KEY, FRAME)
    with_interest = FRAME.with_columns(open_interest=np.where(np.arange(100) < 3, 1.0, np.nan))
    other.append(KEY, with_interest)
    [found] = compare(one, other)
    assert found.different == 3
    assert "open_interest None and 1.0" in found.examples[0]
