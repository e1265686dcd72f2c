"""Calendar lengths as text (``6mo``, ``2w``, ``90d``), and timestamps shifted or truncated by them, in UTC."""

from __future__ import annotations

import re

import polars as pl

_DURATION = re.compile(r"([1-9]\d*)(mo|y|q|w|d|h)")


def duration_unit(text: object) -> str | None:
    """Unit of a length: ``"mo"`` for ``"6mo"``; None where the text is not a length."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else match[2]


def truncate(stamp_us: int, unit: str) -> int:
    """Beginning of the calendar unit (``1mo``: the first of the month) that holds a stamp [µs]."""
    return int(_stamp(stamp_us).dt.truncate(unit).to_physical()[0])


def offset(stamp_us: int, length: str) -> int:
    """Stamp [µs] moved by a length; ``"-6mo"`` moves it back."""
    return int(_stamp(stamp_us).dt.offset_by(length).to_physical()[0])


def _stamp(us: int) -> pl.Series:
    return pl.Series([us], dtype=pl.Int64).cast(pl.Datetime("us"))
