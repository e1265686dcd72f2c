"""How a text file is written: encoding, separator, header, lines above it."""

from __future__ import annotations

import pytest

from maestro.data.files.dialects import as_utf8, is_data, sniff
from maestro.errors import BarsError

ROWS = "2024-01-01,1,3,0.5,2,10\n2024-01-02,2,3,1,2.5,20\n"
HEADER = "Date,Open,High,Low,Close,Volume\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_the_separator_is_recognised(separator: str) -> None:
    found = sniff((HEADER + ROWS).replace(",", separator), "a.csv")
    assert (found.separator, found.header, found.first, found.above) == (separator, True, 1, 0)
    assert found.names == ("Date", "Open", "High", "Low", "Close", "Volume")


def test_a_decimal_comma_does_not_separate() -> None:
    found = sniff("Date;Open;High;Low;Close\n2024-01-01;1,5;3,5;0,5;2,5\n2024-01-02;1,5;3,5;0,5;2,5\n", "a.csv")
    assert found.separator == ";"


def test_lines_above_the_header_and_comments_are_skipped() -> None:
    found = sniff("# from somewhere\nExported 2024\n\n" + HEADER + ROWS, "a.csv")
    assert (found.first, found.above, found.comments) == (4, 3, True)


def test_without_a_header_the_names_are_numbers() -> None:
    found = sniff(ROWS, "a.csv")
    assert (found.header, found.names, found.first) == (False, ("1", "2", "3", "4", "5", "6"), 0)


def test_several_header_lines_are_joined() -> None:
    found = sniff("Price,Open,High,Low,Close\nTicker,A,A,A,A\nDate,,,,\n2024-01-01,1,3,0.5,2\n", "a.csv")
    assert found.names[0] == "Date"
    assert found.names[1].split("\x1f") == ["Open", "A"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html><title>404 Not Found</title>", "a.csv is a page of HTML, not rows of data: '404 Not Found'"),
        (HEADER, "a.csv has a header and no row of numbers below it"),
        ("nothing\nof use\n", "a.csv has no rows of dates and numbers; it begins with 'nothing'; 'of use'"),
        ("Date,Open,High,Low,Close,Close\n" + ROWS, "has column 'Close' more than once"),
        (HEADER + "2024-01-01,1,3,0.5,2,1,234\n" + ROWS, r"a.csv, line 2 has 7 values where the header has 6"),
    ],
)
def test_what_is_not_a_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(BarsError, match=message):
        sniff(text, "a.csv")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Schlußkurs".encode(), ""), ("Schlußkurs".encode("utf-8-sig"), ""), ("Schlußkurs".encode("utf-16"), "UTF-16"),
        ("Date;Schlußkurs".encode("utf-16-le"), "UTF-16"), ("Date;Eröffnung;Schlußkurs".encode("cp1252"), "cp1252"),
        ("Дата;Открытие;Закрытие".encode("cp1251"), "cp1251"),
    ],
)  # fmt: skip
def test_the_encoding_is_recognised(data: bytes, encoding: str) -> None:
    text, found = as_utf8(data)
    assert found == encoding
    assert text.decode()[-5:] in ("ßkurs", "рытие")


@pytest.mark.parametrize(
    ("row", "expected"),
    [(["2024-01-01", "1"], True), (["1", "2", "3", "4"], True), (["2024-01-01", "x", "y"], False), (["a", "1"], False),
     ([], False), (["$1,234.50", "2", "3", "4%"], True)],
)  # fmt: skip
def test_rows_of_data(row: list[str], expected: bool) -> None:
    assert is_data(row) is expected
