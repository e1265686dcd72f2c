"""Choice of the volume column and of further series: by name, and by whether the values are plausible."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from maestro.data.files.names import optional_of, parts_of, plain, shown, volume_rank
from maestro.data.files.numbers import Style, looks_like_numbers, to_numbers
from maestro.data.files.options import say
from maestro.data.files.vocabulary import NOT_SYMBOLS
from maestro.errors import BarsError

NO_VOLUME = "there is no volume; 0 stands in its place"
_ENOUGH = 5  # rows from which on a volume that looks like a price is one
_QUOTE_RANK = 6


def volume_candidates(table: pl.DataFrame, names: Sequence[str], group: str) -> list[str]:
    """Columns of numbers that are called a volume."""
    found = [name for name in names if volume_rank(name, group) is not None and _of_group(name, group)]
    return [name for name in found if looks_like_numbers(table[name]) or table[name].null_count() == len(table)]


def _of_group(name: str, group: str) -> bool:
    parts = parts_of(name)
    return not group or len(parts) < 2 or group in parts or plain(group) in NOT_SYMBOLS


def choose_volume(
    table: pl.DataFrame,
    candidates: Sequence[str],
    style: Style,
    low: pl.Series,
    high: pl.Series,
    close: pl.Series,
    group: str = "",
    symbol: str = "",
) -> tuple[str | None, list[str]]:
    """The column of the volume in the base currency, or None, and what a user must know of the choice.

    Raises
    ------
    BarsError
        The only candidate lies between low and high in every row, or two can be meant.
    """
    notes: list[str] = []
    values = {name: to_numbers(table[name], style, lenient=True) for name in candidates}
    prices = [name for name in candidates if _is_price(values[name], low, high)]
    if prices and len(prices) == len(candidates):
        raise BarsError(
            f"{shown(prices[0])} lies between low and high in every row: it is a price, not a volume. Name the column "
            f"of the volume, {say('columns', volume='NAME')}, or say that there is none, {say('columns', volume='0')}."
        )
    notes += [f"{shown(name)} is left out: it lies between low and high in every row" for name in prices]
    filled = [name for name in candidates if name not in prices and _has_volume(values[name])]
    empty = [name for name in candidates if name not in prices and name not in filled]
    if not filled:
        return (None, [*notes, f"{NO_VOLUME} ({shown(empty[0])} is empty)" if empty else NO_VOLUME])
    ranks = {name: volume_rank(name, group) or 0 for name in filled}
    best = [name for name in filled if ranks[name] == min(ranks.values())]
    chosen = best[0]
    if len(best) > 1:
        chosen = _base_of(best, values, close, symbol)
    rivals = [name for name in filled if name != chosen]
    if empty and ranks[chosen]:
        notes.append(f"the volume is {shown(chosen)}; {', '.join(map(shown, empty))} is always 0")
    elif rivals and (ranks[chosen] or len(best) > 1):
        of_base = (
            ", in the base currency" if len(best) > 1 or min(ranks[name] for name in rivals) == _QUOTE_RANK else ""
        )
        notes.append(f"the volume is {shown(chosen)}{of_base}; left out: {', '.join(map(shown, rivals))}")
    elif ranks[chosen] == _QUOTE_RANK:
        notes.append(f"the volume is {shown(chosen)}, in the quote currency")
    return chosen, notes


def _is_price(values: pl.Series, low: pl.Series, high: pl.Series) -> bool:
    """Whether values lie between low and high in every row, and that can be no accident."""
    inside = (values >= low) & (values <= high) & (low < high)
    known = values.is_not_null() & low.is_not_null() & (low < high)
    return int(known.sum()) >= _ENOUGH and bool(inside.filter(known).all()) and bool((values.filter(known) > 0).all())


def _has_volume(values: pl.Series) -> bool:
    """Whether there is any volume: all 0, all missing or all -1 (Interactive Brokers) says that there is none."""
    known = values.drop_nulls().drop_nans()
    return bool((known != 0).any()) and not bool((known == -1).all())


def _base_of(names: list[str], values: dict[str, pl.Series], close: pl.Series, symbol: str) -> str:
    """Of several volumes the one in the base currency: the others are it times the price."""
    for name in names:
        base = values[name]
        ratios = [(values[other] / base / close).filter(base > 0).median() for other in names if other != name]
        if all(ratio is not None and 0.5 < float(ratio) < 2 for ratio in ratios):  # type: ignore[arg-type]
            return name
    same = [name for name in names if values[name].equals(values[names[0]])]
    if len(same) == len(names):
        return names[0]
    begins = [name for name in names if symbol and plain(name).removeprefix("volume") in plain(symbol)[:5]]
    if len(begins) == 1 and plain(begins[0]) != "volume":
        return begins[0]
    raise BarsError(
        f"which column is the volume: {', '.join(map(shown, names))}? None of them is another one times the price. "
        f"Name it: {say('columns', volume=shown(names[0]))}."
    )


def add_optional(
    table: pl.DataFrame, columns: dict[str, str], notes: list[str], names: Sequence[str], style: Style
) -> None:
    """Add columns of funding, open interest and basis whose values can be that; those left out are noted."""
    close = to_numbers(table[columns["close"]], style, lenient=True)
    for name in names:
        series = optional_of(name)
        empty = table[name].null_count() == len(table)
        if series is None or series in columns or not (empty or looks_like_numbers(table[name])):
            continue
        known = to_numbers(table[name], style, lenient=True).drop_nulls().drop_nans()
        if len(known) and series == "open_interest" and not (known != 0).any():
            continue  # a column that only keeps its place: nothing but zeros
        if len(known) and (reason := _not(series, known, close)):
            notes.append(f"{shown(name)} is left out: {reason}")
            continue
        columns[series] = name


def _not(series: str, known: pl.Series, close: pl.Series) -> str:
    """Why values cannot be those of a series; empty where they can."""
    middle, price = (float(one.abs().median() or 0) for one in (known, close))  # type: ignore[arg-type]
    if series in ("basis", "funding_rate") and (middle > 2 or 0.5 < middle / (price or 1) < 2):
        return f"values like {known[0]:g} are not a {series.replace('_', ' ')} as a fraction of the price"
    if series in ("open_interest", "funding_count") and float(known.min()) < 0:  # type: ignore[arg-type]
        return "it has negative values"
    return ""
