"""Names of columns: the price, volume, series or timestamp that they hold, and the rest of the name."""

from __future__ import annotations

import pytest

from maestro.data.files.names import (
    JOINT,
    Price,
    is_closing,
    is_time,
    optional_of,
    parts_of,
    plain,
    price_of,
    shown,
    stamp_rank,
    volume_rank,
    words_of,
)


def test_spelling_does_not_matter() -> None:
    assert [plain(name) for name in ("4. close", "<TICKVOL>", "Schluß", "Máximo", "\ufeffDate")] == [
        "close", "tickvol", "schluss", "maximo", "date",
    ]  # fmt: skip
    assert words_of("BidOpenPrice_2") == ["bid", "open", "price", "2"]
    assert parts_of("('Close', 'MSFT')") == parts_of(f"Close{JOINT}MSFT") == ["Close", "MSFT"]
    assert shown(f"Close{JOINT}MSFT") == "Close MSFT"
    assert shown("") == "(no name)"


@pytest.mark.parametrize(
    ("name", "field", "group"),
    [
        ("close", "close", ""), ("4. close", "close", ""), ("Close/Last", "close", ""), ("Schlusskurs", "close", ""),
        ("BidOpen", "open", "bid"), ("Close_BRK-B", "close", "BRK-B"), ("('High', 'MSFT')", "high", "MSFT"),
        ("PX_LAST", "close", ""), ("Adj Close", "close", "Adj"), ("最高价", "high", ""), ("Last Price", "close", ""),
    ],
)  # fmt: skip
def test_the_price_of_a_name(name: str, field: str, group: str) -> None:
    found = price_of(name)
    assert found is not None
    assert (found.field, found.group) == (field, group)


def test_the_most_usual_word_has_the_lowest_rank() -> None:
    assert price_of("close") == Price("close", 0, "")
    assert price_of("last").rank > price_of("close").rank  # type: ignore[union-attr]
    for name in ("volume", "date", "open_high", "cohort"):
        assert price_of(name) is None


def test_the_most_exact_volume_has_the_lowest_rank() -> None:
    names = ["Volume", "base volume traded", "Volume BTC", "tick_volume", "quote_volume"]
    ranks = [volume_rank(name) for name in names]
    assert ranks == [0, 1, 2, 4, 6]
    assert [volume_rank(name) for name in ("volume_sma", "taker_buy_volume", "close", "involved")] == [None] * 4
    assert volume_rank("MSFT Volume", "MSFT") == 0


def test_the_other_kinds_of_columns() -> None:
    assert optional_of("fundingRate") == "funding_rate"
    assert optional_of("Open Interest") == "open_interest"
    assert optional_of("close") is None
    ranks = [stamp_rank(name) for name in ("open_time", "Date", "settlement date")]
    assert None not in ranks
    assert ranks == sorted(ranks)  # type: ignore[type-var]
    assert stamp_rank("close_time") is None
    assert stamp_rank("high time") is None
    assert is_closing("Close Time")
    assert not is_closing("close")
    assert is_time("Time")
    assert is_time("hour of day")
    assert not is_time("date")
