"""A universe: order, alignment by stamps, members, quality, and parts of it."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest

import maestro as ms
from maestro.bars import Bars, BarsWarning
from maestro.bars.universe import Universe, universe
from maestro.errors import BarsError, SettingsError


def made(n: int, seed: int = 0) -> Bars:
    return ms.synthetic_bars(n, seed, "1d")


@pytest.fixture
def three() -> Universe:
    whole = made(60, 1)
    return universe({"B": made(60, 2)[10:], "A": whole, "C": made(60, 3)[::1].between("2020-01-05", "2020-02-01")})


def test_the_order_of_the_source_does_not_matter(three: Universe) -> None:
    again = universe({"C": three["C"], "A": three["A"], "B": three["B"]})
    assert three.symbols == again.symbols == ("A", "B", "C")
    assert three.fingerprint == again.fingerprint
    assert three.select(["A"]).fingerprint != three.fingerprint


def test_values_are_aligned_by_stamp_and_not_by_position(three: Universe) -> None:
    table = three.align("open")
    stamps = table["timestamp"].to_physical().to_numpy()
    for symbol, bars in three.items():
        known = dict(zip(bars.time.tolist(), bars.open.tolist(), strict=True))
        assert [known.get(int(t)) for t in stamps] == table[symbol].to_list()
    inner = three.align("open", how="inner")
    shared = set.intersection(*(set(bars.time.tolist()) for bars in three.values()))
    assert inner["timestamp"].to_physical().to_list() == sorted(shared)
    with pytest.raises(SettingsError, match=r"no column 'opne'.*open"):
        three.align("opne")


def test_calendars_that_differ_are_aligned() -> None:
    days = made(21, 4)
    weekdays = Bars.from_frame(days.to_frame().filter(pl.col("timestamp").dt.weekday() <= 5), timeframe="1d")
    both = universe({"crypto": days, "stock": weekdays})
    table = both.align()
    weekend = table.filter(pl.col("timestamp").dt.weekday() > 5)
    assert len(table) == 21
    assert weekend["stock"].null_count() == len(weekend) == 6
    assert not table.filter(pl.col("timestamp").dt.weekday() <= 5)["stock"].null_count()


def test_members_are_listed_and_not_delisted(three: Universe) -> None:
    assert three.members("2020-01-01") == ("A",)
    assert three.members("2020-01-20") == ("A", "B", "C")
    assert three.members("2020-02-10") == ("A", "B")
    cut = universe(three, membership={"A": ("2020-01-03", "2020-02-05")})
    assert cut.members("2020-01-02") == ()
    assert cut.members("2020-02-10") == ("B",)
    assert cut.quality()["listed"].to_list()[0].isoformat() == "2020-01-03T00:00:00+00:00"


def test_survivors_are_noted_where_nothing_was_delisted(three: Universe) -> None:
    assert not three.notes
    alive = universe({"A": made(50, 1), "B": made(50, 2)})
    assert "delisted are missing" in alive.notes[0]
    assert "delisted are missing" in repr(alive)
    assert not universe(alive, membership={"A": "2020-01-01"}).notes


def test_quality_has_a_row_for_each_symbol_and_each_failure() -> None:
    bars = made(200, 5)
    holed = Bars.from_frame(bars.to_frame().filter(~pl.Series(np.arange(200)).is_between(50, 150)), timeframe="1d")
    table = universe({"good": bars, "holed": holed, "broken": pl.DataFrame({"close": [1.0]})}).quality()
    assert table["symbol"].to_list() == ["broken", "good", "holed"]
    assert table["fatal"].to_list() == [None, 0, 1]
    assert table["error"].is_not_null().to_list() == [True, False, False]
    assert "hole" in table["findings"][2]


def test_parts_keep_what_cannot_be_used_as_an_error(three: Universe) -> None:
    late = three.between("2020-02-05")
    assert late.symbols == ("A", "B")
    assert "no bar from" in late.errors["C"]
    with pytest.raises(BarsError, match="C has no usable bars: no bar from"):
        late["C"]
    weeks = three.resample("1w")
    with pytest.warns(BarsWarning):
        assert weeks["A"].fingerprint == three["A"].resample("1w").fingerprint
    with pytest.raises(KeyError, match="no symbol 'D'"):
        three["D"]
    with pytest.raises(BarsError, match="no symbol has bars left"):
        three.between("2030")


def test_it_is_shown_with_escaped_names() -> None:
    shown = universe({"<b>": made(30)})._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>:" not in shown


def test_bars_keep_known_outages_when_they_are_sent_to_a_worker() -> None:
    bars = made(30)
    bars.outages = ((1, 2),)
    assert pickle.loads(pickle.dumps(bars)).outages == ((1, 2),)
