"""Recognise the columns of a table without a header by their values: the high is the largest, the low the smallest."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from maestro.data.files.clocks import time_of_day
from maestro.data.files.numbers import Style, looks_like_numbers, to_numbers
from maestro.data.files.options import say
from maestro.data.files.stamps import looks_like_stamps, read_stamps
from maestro.errors import BarsError

USUAL = ("open", "high", "low", "close")
_LOOKED_AT = 20_000  # rows


def is_numbered(names: list[str]) -> bool:
    """Whether names are numbers in order, as frames without a header have them, or polars' own."""
    plain = [name.removeprefix("column_") for name in names]
    return len(names) > 4 and (
        plain == [str(place) for place in range(len(names))] or plain == [str(place + 1) for place in range(len(names))]
    )


def columns_by_value(table: pl.DataFrame, style: Style) -> tuple[dict[str, str], str, list[str]]:
    """Canonical names for a table without a header, the column of the time of day, and what a user must know.

    Raises
    ------
    BarsError
        No column of stamps, or no four columns that can be open, high, low and close.
    """
    part = table.head(_LOOKED_AT)
    names = [name for name in table.columns if table[name].null_count() < len(table)]
    stamp = next((name for name in names if looks_like_stamps(part[name])), "")
    if not stamp:
        raise BarsError(
            "there is no header, and no column that holds dates or epochs first; name the columns by their number: "
            f"{say('columns', timestamp='1', open='2')}."
        )
    after = names[names.index(stamp) + 1 :]
    time = after[0] if after and part[after[0]].dtype == pl.String and _is_clock(part[after[0]]) else ""
    numeric = [name for name in after if name != time and looks_like_numbers(part[name])]
    if len(numeric) < 4:
        raise BarsError(
            f"there is no header, and {len(names)} columns; bars have a timestamp, open, high, low, close and mostly a "
            "volume. Name the columns by their number: "
            f"{say('columns', timestamp='1', open='2')}."
        )
    values = {name: to_numbers(part[name], style, lenient=True) for name in numeric[:6]}
    four, order = _prices(numeric, values, newest_first=_newest_first(part, stamp, time))
    rest = numeric[numeric.index(four[-1]) + 1 :]
    later = {name: values[name] if name in values else to_numbers(part[name], style, lenient=True) for name in rest[:3]}
    low, high = (values[four[order.index(field)]] for field in ("low", "high"))
    volume = next((name for name in rest[:3] if not _is_price(later[name], low, high)), "")
    columns = {"timestamp": stamp, **dict(zip(order, four, strict=True)), **({"volume": volume} if volume else {})}
    read = ["timestamp", *(["time"] if time else []), *order]
    skipped = rest[: rest.index(volume)] if volume else []
    read += ["(a price, left out)" for _ in skipped] + (["volume"] if volume else [])
    return columns, time, [f"there is no header; the columns are taken by their values as {', '.join(read)}"]


def _prices(
    numeric: list[str], values: dict[str, pl.Series], *, newest_first: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Four columns that are prices, and their order."""
    four = numeric[:4]
    one, two, three, last = (values[name] for name in four)
    if _fits([one, two, three, last], 1, 2) and not _fits([one, two, three, last], 2, 1):
        return four, _checked(four, values, USUAL, newest_first=newest_first)
    found: list[tuple[str, ...]] = []
    for high, low in combinations(range(4), 2):
        for a, b in ((high, low), (low, high)):
            if _fits([one, two, three, last], a, b):
                names = [""] * 4
                names[a], names[b] = "high", "low"
                rest = [place for place in range(4) if place not in (a, b)]
                names[rest[0]], names[rest[1]] = "open", "close"
                found.append(tuple(names))
    if not found:
        raise BarsError(
            "there is no header, and no order of open, high, low and close fits columns 2 to 5; name the columns by "
            f"their number: {say('columns', timestamp='1', open='2', high='3', low='4', close='5')}."
        )
    order = USUAL if USUAL in found else found[0]
    return four, _checked(four, values, order, newest_first=newest_first)


def _fits(columns: list[pl.Series], high: int, low: int) -> bool:
    top, bottom = columns[high], columns[low]
    return all(bool(((one <= top) & (one >= bottom)).fill_null(True).all()) for one in columns)


def _checked(
    four: list[str], values: dict[str, pl.Series], order: tuple[str, ...], *, newest_first: bool
) -> tuple[str, ...]:
    """The order, with open and close exchanged where bars would open far from the close before, and else near it."""
    first, second = (values[four[order.index(field)]] for field in ("open", "close"))
    if newest_first:
        first, second = first.reverse(), second.reverse()
    gaps = float((first.shift(-1) - second).abs().drop_nulls().sum())
    swapped = float((second.shift(-1) - first).abs().drop_nulls().sum())
    if swapped * 4 < gaps:
        swap = {"open": "close", "close": "open"}
        return tuple(swap.get(name, name) for name in order)
    return order


def _newest_first(part: pl.DataFrame, stamp: str, time: str) -> bool:
    part = part.drop_nulls([stamp]).head(1_000)
    try:
        stamps = read_stamps(part[stamp]).to_physical()
    except BarsError:
        return False
    clock = time_of_day(part[time]) if time else None
    steps = (stamps if clock is None else stamps + clock).diff().drop_nulls()
    return bool((steps < 0).any()) and bool((steps <= 0).all())


def _is_price(values: pl.Series, low: pl.Series, high: pl.Series) -> bool:
    """Whether values stay near the prices: an average price, or the other side of the market."""
    near = ((values >= low * 0.8) & (values <= high * 1.25)).fill_null(True)
    return len(values) >= 5 and bool((low < high).any()) and bool(near.all())


def _is_clock(column: pl.Series) -> bool:
    return bool(column.str.contains(":", literal=True).any()) and time_of_day(column) is not None
