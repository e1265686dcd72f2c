"""Read columns of text as numbers: decimal separator, thousands, currency signs, percent, K, M and B."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from maestro.data.files.options import say
from maestro.errors import BarsError

MISSING = ("", "-", "--", "—", ".", "null", "none", "nan", "na", "n/a", "#n/a", "n.a.", "missing", "nil", "<na>", "nat")
"""Texts, in small letters, that stand for a number that is not there."""
_FACTORS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_SIGNS = r"[$€£¥₹₩₽₿₺฿]|(?i)\b(?:usd|eur|gbp|jpy|inr|chf|rs\.?)\b"
_SPACES = "[\u00a0\u202f\u2009\\s'’_]"
_SCALED = r"^[-+(]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+|[kmbtKMBT])?\)?$"
_NUMBER = r"^[-+(]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?\)?$"
Place = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Style:
    """The number format of a table: the decimal sign, and whether the other sign separates thousands."""

    decimal: str = "."
    thousands: str = ""


def style_of(columns: Iterable[pl.Series], decimal: str = "", separator: str = ",") -> Style:
    """Style that all columns of a table share.

    Parameters
    ----------
    columns : columns that hold numbers, as text or read already
    decimal : str
        The decimal mark that the user gave.
    separator : str
        Between the cells of the file: where it is a comma, a comma inside a cell separates thousands.

    Raises
    ------
    BarsError
        The columns contradict each other, or 1,234 may mean either.
    """
    if decimal:
        return Style(decimal, "," if decimal == "." else ".")
    evidence = dict.fromkeys((".decimal", ".thousands", ",decimal", ",thousands"), "")
    doubtful: list[str] = []
    for column in columns:
        if column.dtype != pl.String:  # read as numbers, so a point in them was a decimal one
            if column.dtype.is_float() and (broken := column.filter(column % 1 != 0).drop_nans()).len():
                evidence[".decimal"] = evidence[".decimal"] or str(broken[0])
            continue
        bare = _bare(column).drop_nulls()
        bare = bare.filter(bare.str.contains(_SCALED))  # other text is refused later, by its row
        for sign, other in ((".", ","), (",", ".")):
            point, comma = f"\\{sign}", f"\\{other}"
            has = bare.filter(bare.str.contains(point))
            if not len(has):
                continue
            with_other = has.str.contains(comma)
            last = has.str.contains(rf"{comma}.*{point}\d*\D*$")
            many = has.str.count_matches(point) > 1
            three = has.str.contains(rf"^[-+(]?[1-9]\d{{0,2}}{point}\d{{3}}\D*$")
            decimals = (with_other & last & ~many) | (~with_other & ~many & ~three)
            thousands = many | (with_other & ~last)
            for kind, found in (("decimal", decimals), ("thousands", thousands)):
                if found.any():
                    evidence[sign + kind] = evidence[sign + kind] or str(has.filter(found)[0])
            if sign == "," and (~decimals & ~thousands).any():
                # In thousands the small numbers have no sign; decimals are written with one everywhere.
                kind = "" if len(has) == len(bare) else ",thousands"
                if kind:
                    evidence[kind] = evidence[kind] or str(has.filter(three)[0])
                else:
                    doubtful.append(str(has.filter(three)[0]))
    return _decided(evidence, doubtful, separator)


def _decided(evidence: dict[str, str], doubtful: list[str], separator: str) -> Style:
    comma = bool(evidence[",decimal"]) or bool(evidence[".thousands"])
    point = bool(evidence[".decimal"]) or bool(evidence[",thousands"])
    if comma and point:
        one = evidence[",decimal"] or evidence[".thousands"]
        other = evidence[".decimal"] or evidence[",thousands"]
        raise BarsError(
            f"the numbers are written in two ways, {one!r} and {other!r}; give the decimal sign: "
            f"{say('decimal', ',')} or {say('decimal', '.')}."
        )
    if comma:
        return Style(",", ".")
    if doubtful and not point and separator != ",":
        raise BarsError(
            f"numbers like {doubtful[0]!r} can be thousands or decimals, and no other number tells which; give the "
            f"decimal sign: {say('decimal', ',')} or {say('decimal', '.')}."
        )
    return Style(".", "," if doubtful or evidence[",thousands"] else "")


def to_numbers(
    column: pl.Series, style: Style, name: str = "", place: Place | None = None, *, lenient: bool = False
) -> pl.Series:
    """A column as Float64; a text that stands for a missing number becomes null, with `lenient` any other text too.

    Raises
    ------
    BarsError
        A text that is not a number, with its row; or percent and plain numbers in one column.
    """
    name = name or column.name
    if column.dtype.is_numeric():
        return column if column.dtype == pl.Float64 else column.cast(pl.Float64)
    if column.dtype == pl.Null:
        return pl.Series(column.name, [None] * len(column), dtype=pl.Float64)
    if column.dtype != pl.String:
        raise BarsError(f"column {name} has type {column.dtype}; give numbers.")
    plain = column.cast(pl.Float64, strict=False)
    pointed = style.decimal == "," and column.str.contains(".", literal=True).any()
    if not pointed and not (plain.is_null() & column.is_not_null()).any():
        return plain
    bare = _bare(column)
    percent = column.str.contains(r"%\s*$")
    unit = bare.str.extract(r"(?i)\d\s*([KMBT])$").str.to_uppercase()
    bare = bare.str.replace(r"(?i)(\d)\s*[KMBT]$", "$1")
    if style.decimal == ",":
        bare = bare.str.replace_all(".", "", literal=True).str.replace_all(",", ".", literal=True)
    elif style.thousands:
        bare = bare.str.replace_all(",", "", literal=True)
    bare = bare.str.replace(r"^\(([\d.]+)\)$", "-$1")
    numbers = bare.cast(pl.Float64, strict=False)
    bad = numbers.is_null() & bare.is_not_null()
    if bad.any() and not lenient:
        row = int(bad.arg_true()[0])
        other = f", or choose another column: {say('columns', **{name: 'NAME'})}" if name.isidentifier() else ""
        raise BarsError(
            f"column {name} holds text at {(place or 'row {}'.format)(row)}: {column[row]!r}; correct or remove "
            f"the row{other}."
        )
    if unit.is_not_null().any():
        factor = unit.replace_strict(_FACTORS, default=1.0, return_dtype=pl.Float64)
        numbers = (numbers * factor).round(6)
    if percent.any():
        if not lenient and not percent.filter(numbers.is_not_null()).all():
            raise BarsError(f"column {name} has percent signs in some rows only; write it in one way.")
        numbers = numbers / 100
    return numbers.alias(column.name)


def looks_like_numbers(column: pl.Series) -> bool:
    """Whether every value of a column, as far as there is one, is a number in some style, and at least one is."""
    if column.dtype.is_numeric():
        return True
    if column.dtype != pl.String:
        return False
    bare = _bare(column).drop_nulls().str.replace(r"(?i)(\d)\s*[KMBT]$", "$1")
    return len(bare) > 0 and bool(bare.str.contains(_NUMBER).all())


def _bare(column: pl.Series) -> pl.Series:
    """Texts without spaces, currency and percent signs; null where a number is missing."""
    text = column.str.replace_all(_SPACES, "").str.replace_all(_SIGNS, "").str.strip_suffix("%")
    missing = text.str.to_lowercase().is_in(MISSING)
    return pl.select(pl.when(missing).then(None).otherwise(text)).to_series().alias(column.name)


def has_no_number(column: pl.Series) -> pl.Series:
    """Where a column has no number: null, NaN, or a text without a digit."""
    if column.dtype.is_float():
        return column.is_null() | column.is_nan().fill_null(True)
    if column.dtype == pl.String:
        return ~column.str.contains(r"\d").fill_null(False)
    return column.is_null()
