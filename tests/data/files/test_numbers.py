"""Text as numbers: decimal signs, thousands, currency signs, percent, K, M and B."""

from __future__ import annotations

import polars as pl
import pytest

from maestro.data.files.numbers import Style, has_no_number, looks_like_numbers, style_of, to_numbers
from maestro.errors import BarsError

POINT, COMMA = Style(".", ","), Style(",", ".")


@pytest.mark.parametrize(
    ("texts", "separator", "style"),
    [
        (["1.5", "2.25"], ",", Style(".", "")),
        (["1,234.50", "900.00"], ";", POINT),
        (["1.234,50", "900,00"], ";", COMMA),
        (["1,5", "2,25"], ";", COMMA),
        (["1,234", "567"], ";", POINT),  # small numbers have no sign: thousands
        (["1,234,567", "12"], ";", POINT),
        (["1,234", "567"], ",", POINT),  # in a file separated by commas
    ],
)
def test_the_style_is_recognised(texts: list[str], separator: str, style: Style) -> None:
    assert style_of([pl.Series(texts)], separator=separator) == style


def test_contradicting_and_ambiguous_numbers_ask_for_the_decimal_sign() -> None:
    with pytest.raises(BarsError, match=r"written in two ways, '1,50' and '1.50'.*decimal=','"):
        style_of([pl.Series(["1,50"]), pl.Series(["1.50"])])
    with pytest.raises(BarsError, match=r"numbers like '1,234' can be thousands or decimals"):
        style_of([pl.Series(["1,234", "5,678"])], separator=";")
    assert style_of([pl.Series(["1,234", "5,678"])], decimal=",", separator=";") == COMMA


@pytest.mark.parametrize(
    ("text", "style", "number"),
    [
        ("$1,234.50", POINT, 1234.5), ("1.234,5 €", COMMA, 1234.5), ("(12.5)", POINT, -12.5), ("1 234", POINT, 1234.0),
        ("2.5K", POINT, 2500.0), ("1.25m", POINT, 1_250_000.0), ("3B", POINT, 3e9), ("12.5%", POINT, 0.125),
        ("1e-3", POINT, 0.001), ("+7", POINT, 7.0), ("n/a", POINT, None), ("-", POINT, None), ("", POINT, None),
    ],
)  # fmt: skip
def test_a_text_is_read_as_a_number(text: str, style: Style, number: float | None) -> None:
    assert to_numbers(pl.Series("x", [text]), style).to_list() == [number]


def test_other_text_is_refused_with_its_row_or_left_out() -> None:
    column = pl.Series("close", ["1.5", "soon"])
    with pytest.raises(BarsError, match=r"column close holds text at row 1: 'soon'"):
        to_numbers(column, POINT)
    assert to_numbers(column, POINT, lenient=True).to_list() == [1.5, None]
    with pytest.raises(BarsError, match="percent signs in some rows only"):
        to_numbers(pl.Series("x", ["5%", "7"]), POINT)
    with pytest.raises(BarsError, match="has type Boolean; give numbers"):
        to_numbers(pl.Series("x", [True]), POINT)


def test_which_columns_hold_numbers() -> None:
    assert looks_like_numbers(pl.Series([1, 2]))
    assert looks_like_numbers(pl.Series(["1.5", "-", "2,000", "3M"]))
    assert not looks_like_numbers(pl.Series(["1.5", "BTC"]))
    assert not looks_like_numbers(pl.Series(["-", ""]))
    assert not looks_like_numbers(pl.Series([True]))
    assert has_no_number(pl.Series(["1", "-", None])).to_list() == [False, True, True]
    assert has_no_number(pl.Series([1.0, float("nan"), None])).to_list() == [False, True, True]
