"""Names of old tables, and the error of a file that ends too early."""

from __future__ import annotations

from maestro.data.legacy.source import Table, damaged_export, first_line
from maestro.errors import SourceError


def test_a_table_is_named_with_its_database() -> None:
    assert str(Table("trade", "bars")) == "trade.bars"
    assert str(Table("", "bars")) == "bars"
    assert sorted([Table("b", "a"), Table("a", "z")])[0].name == "z"


def test_an_error_is_shown_by_its_first_line_or_its_kind() -> None:
    assert first_line(ValueError("first\nsecond")) == "first"
    assert first_line(EOFError()) == "EOFError"
    error = damaged_export("a.json", EOFError())
    assert isinstance(error, SourceError)
    assert "a.json cannot be read to its end (EOFError)" in str(error)
