"""Membership of a symbol in a universe: from its listing until it is delisted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from maestro.bars.bars import Bars
from maestro.bars.moments import as_us
from maestro.data.files.frames import to_polars
from maestro.data.timeframes import as_datetime
from maestro.errors import BarsError, SettingsError, nearest

_COLUMNS = ("symbol", "listed", "delisted")


class Span(NamedTuple):
    """From (included) and until (excluded) when a symbol is a member [µs since 1970, UTC]; None is open."""

    listed: int | None = None
    delisted: int | None = None

    @property
    def text(self) -> str:
        """In words: ``from 2020-01-01 until 2022-11-12``."""
        parts = [
            f"{word} {as_datetime(edge):%Y-%m-%d %H:%M}".removesuffix(" 00:00")
            for word, edge in (("from", self.listed), ("until", self.delisted))
            if edge is not None
        ]
        return " ".join(parts) or "always"


def membership_of(given: Any, symbols: Collection[str]) -> dict[str, Span]:
    """Return the spans of a membership table.

    Parameters
    ----------
    given : mapping or frame
        ``{"LUNA": ("2020-08-21", "2022-05-13"), "APT": "2022-10-19"}``: listed and delisted, or listed alone; None is
        open. Or a frame with columns symbol, listed, delisted (the last one is optional), one row per symbol.
    symbols : those of the universe

    Raises
    ------
    SettingsError
        A symbol that the universe does not have, a symbol named twice, a delisting that is not after the listing.
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else _rows(given)
    found: dict[str, Span] = {}
    for symbol, when in pairs:
        if symbol not in symbols:
            raise SettingsError(
                f"membership names {symbol!r}, which is not in the universe; there are: {', '.join(list(symbols)[:8])}."
                + nearest(str(symbol), symbols)
            )
        if symbol in found:
            raise SettingsError(
                f"membership names {symbol!r} twice; give one row per symbol. A symbol that came back is another "
                "series: give it a name of its own."
            )
        listed, delisted = when if isinstance(when, (tuple, list)) and len(when) == 2 else (when, None)
        try:
            span = Span(*(None if edge is None else as_us(edge) for edge in (listed, delisted)))
        except BarsError as error:
            raise SettingsError(f"membership of {symbol!r}: {error}") from error
        if span.listed is not None and span.delisted is not None and span.listed >= span.delisted:
            raise SettingsError(f"membership of {symbol!r}: delisted {delisted} is not after listed {listed}.")
        found[symbol] = span
    return found


def _rows(given: Any) -> list[tuple[str, Any]]:
    frame = to_polars(given)
    unknown = [name for name in frame.columns if name not in _COLUMNS]
    if unknown or not {"symbol", "listed"} <= set(frame.columns):
        raise SettingsError(
            f"a membership frame has the columns {', '.join(_COLUMNS)}, got {', '.join(frame.columns)}."
        )
    delisted = frame["delisted"].to_list() if "delisted" in frame.columns else [None] * len(frame)
    edges = zip(frame["listed"].to_list(), delisted, strict=True)
    return list(zip(map(str, frame["symbol"].to_list()), edges, strict=True))


def cut(bars: Bars, span: Span) -> Bars:
    """Bars of the time in which a symbol is a member; a note says how many were left out.

    A bar belongs to the time in which it opens.

    Raises
    ------
    BarsError
        No bar lies in that time.
    """
    moments = [None if edge is None else as_datetime(edge) for edge in span]
    inside = bars.between(*moments)
    left_out = len(bars) - len(inside)
    if left_out:
        word = "bar" if left_out == 1 else "bars"
        inside.notes = (
            *inside.notes,
            f"A member of the universe {span.text}; {left_out:,} {word} outside are left out.",
        )
    return inside
