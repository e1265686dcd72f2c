"""Which column is the volume, and which further series a table has: by name and by values."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.files.numbers import Style
from maestro.data.files.volume import NO_VOLUME, add_optional, choose_volume, volume_candidates
from maestro.errors import BarsError

CLOSE = [100.0, 102.0, 101.0, 103.0, 104.0, 102.0]
TABLE = pl.DataFrame(
    {
        "low": [price - 2 for price in CLOSE],
        "high": [price + 2 for price in CLOSE],
        "close": CLOSE,
        "Volume BTC": [5.0, 1.0, 2.0, 8.0, 3.0, 4.0],
        "Volume USD": [volume * price for volume, price in zip([5.0, 1.0, 2.0, 8.0, 3.0, 4.0], CLOSE, strict=True)],
        "volume": CLOSE,
        "vol": [0.0] * 6,
        "volume_sma": [1.0] * 6,
    }
)


def chosen(*names: str) -> tuple[str | None, list[str]]:
    return choose_volume(TABLE, names, Style(), TABLE["low"], TABLE["high"], TABLE["close"])


def test_columns_that_are_called_a_volume() -> None:
    assert volume_candidates(TABLE, TABLE.columns, "") == ["Volume BTC", "Volume USD", "volume", "vol"]


def test_the_volume_in_the_base_currency_is_taken() -> None:
    assert chosen("Volume USD", "Volume BTC") == (
        "Volume BTC",
        ["the volume is Volume BTC, in the base currency; left out: Volume USD"],
    )
    with pytest.raises(BarsError, match="which column is the volume: Volume BTC, Volume ETH"):
        choose_volume(
            TABLE.with_columns(pl.Series("Volume ETH", [9.0, 1.0, 7.0, 2.0, 8.0, 3.0])),
            ("Volume BTC", "Volume ETH"), Style(), TABLE["low"], TABLE["high"], TABLE["close"],
        )  # fmt: skip


def test_a_price_is_not_a_volume() -> None:
    with pytest.raises(BarsError, match="volume lies between low and high in every row: it is a price"):
        chosen("volume")
    name, notes = chosen("volume", "Volume BTC")
    assert name == "Volume BTC"
    assert "volume is left out: it lies between low and high in every row" in notes


def test_a_missing_volume_is_noted() -> None:
    assert chosen() == (None, [NO_VOLUME])
    assert chosen("vol") == (None, [f"{NO_VOLUME} (vol is empty)"])


def test_further_series_are_taken_by_name_where_their_values_can_be_that() -> None:
    table = pl.DataFrame(
        {"close": CLOSE, "funding": [0.0001] * 6, "basis": CLOSE, "openInterest": [-1.0] * 6, "oi": [0.0] * 6}
    )
    columns, notes = {"close": "close"}, []  # type: dict[str, str], list[str]
    add_optional(table, columns, notes, table.columns[1:], Style())
    assert columns == {"close": "close", "funding_rate": "funding"}
    assert notes == [
        "basis is left out: values like 100 are not a basis as a fraction of the price",
        "openInterest is left out: it has negative values",
    ]
