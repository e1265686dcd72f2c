"""Names of stored series: what is allowed, that nothing can be injected, and that each name is one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.data.stores import SeriesKey
from maestro.data.stores.questdb import _key, _table
from maestro.errors import SettingsError

names = st.one_of(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,10}(\.[A-Za-z0-9_-]{1,5}){0,2}", fullmatch=True),
    st.from_regex(r"[A-Z^.$@]?[A-Z0-9][A-Z0-9^_$/:=&!+@-]{0,12}[A-Z0-9=!]", fullmatch=True),
)
plain = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,10}", fullmatch=True)
kinds = st.one_of(
    st.tuples(st.just("bars"), st.sampled_from(["1m", "5m", "1h", "4h", "1d", "1w", "90s"])),
    st.tuples(st.sampled_from(["funding", "open_interest", "basis"]), st.sampled_from(["", "1h", "1d"])),
)


@given(plain, names, kinds)
def test_text_path_and_table_give_the_key_again(provider: str, symbol: str, kind: tuple[str, str]) -> None:
    key = SeriesKey(provider, symbol, kind[1], kind[0])
    assert SeriesKey.parse(str(key)) == key
    assert SeriesKey.from_path(key.path) == key
    assert _key(_table(key)) == key


@given(st.tuples(plain, names, kinds), st.tuples(plain, names, kinds))
def test_different_keys_have_different_places_also_where_case_does_not_count(
    one: tuple[str, str, tuple[str, str]], other: tuple[str, str, tuple[str, str]]
) -> None:
    keys = [SeriesKey(provider, symbol, kind[1], kind[0]) for provider, symbol, kind in (one, other)]
    if keys[0] != keys[1]:
        assert _table(keys[0]).lower() != _table(keys[1]).lower()
        assert [part.lower() for part in keys[0].path] != [part.lower() for part in keys[1].path]


@pytest.mark.parametrize(
    "name",
    ["", " ", "..", "../x", "A\\B", 'A"; DROP TABLE x; --', "A'B", "A\0", "A\nB", "-A", "A.", "A/", ":A", "A  B",
     "A..B", "Ä", "A*", "A~B", "A%", "A#B", "x" * 64, None, 3],
)  # fmt: skip
def test_names_that_could_do_harm_are_refused(name: object) -> None:
    with pytest.raises(SettingsError, match=r"not allowed.*--symbol NAME"):
        SeriesKey("BINANCE", name, "1h")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="not allowed"):
        SeriesKey(name, "BTCUSDT", "1h")  # type: ignore[arg-type]


def test_a_provider_has_no_dots_since_they_part_the_names_of_tables() -> None:
    assert SeriesKey("NYSE", "BRK.B", "1d").symbol == "BRK.B"
    with pytest.raises(SettingsError, match="provider"):
        SeriesKey("NY.SE", "BRK", "1d")


@pytest.mark.parametrize(
    ("symbol", "written"),
    [
        ("BTC/USDT:USDT", "BTC@2FUSDT@3AUSDT"),
        ("^GSPC", "@5EGSPC"),
        ("EURUSD=X", "EURUSD@3DX"),
        ("M&M.NS", "M@26M.NS"),
        ("ES1!", "ES1@21"),
        ("BRK.B", "BRK.B"),
        ("S&P 500", "S@26P@20500"),
        (".BXBT", "@2EBXBT"),
        ("BTC_USDT", "BTC_USDT"),
    ],
)
def test_symbols_as_vendors_write_them(symbol: str, written: str) -> None:
    for key in (
        SeriesKey("X", symbol, "1h"),
        SeriesKey("X", symbol, "", "funding"),
        SeriesKey("X", symbol, "1h", "basis"),
    ):
        assert key.symbol == symbol
        assert key.path[2] == written
        assert SeriesKey.parse(str(key)) == key
        assert SeriesKey.from_path(key.path) == key
        assert _key(_table(key)) == key


def test_equal_names_are_one() -> None:
    assert SeriesKey("binance", " btcusdt", "60m") == SeriesKey("BINANCE", "BTCUSDT", "1h")
    assert str(SeriesKey("X", "A_B_C", "24h")) == "X:A_B_C:1d"
    assert str(SeriesKey("X", "A", "1M")) == str(SeriesKey("X", "A", "1mo")) == "X:A:1mo"
    assert str(SeriesKey("X", "A", "3mo")) == "X:A:1q"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BINANCE", "does not name a series"),
        ("BINANCE:BTCUSDT", "does not name a series"),
        ("BINANCE:BTCUSDT:1x", "timeframe '1x'"),
        ("BINANCE:BTCUSDT:fundin:1h", "Did you mean 'funding'"),
        ("BINANCE:BTCUSDT:bars:", "timeframe ''"),
        ("A:B:C:D:E", "timeframe 'E'"),
    ],
)
def test_texts_that_name_no_series(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        SeriesKey.parse(text)


def test_foreign_paths_are_no_keys() -> None:
    for parts in (("bars", "X", "Y"), ("bars", "x", "Y", "1h"), ("bars", "X", "Y", "60m"), ("bars", "X", "Y", "raw")):
        assert SeriesKey.from_path(parts) is None
    for table in ("trades", "bars.X.Y", "bars.X.Y.1h.new", "other.X.Y.1h", "bars..Y.1h"):
        assert _key(table) is None
