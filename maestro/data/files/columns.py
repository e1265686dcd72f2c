"""Assignment of a table's columns to timestamps, prices, volume and further series: by name, then by content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from maestro.data.files.clocks import time_of_day
from maestro.data.files.names import (
    OPTIONAL,
    PRICES,
    REQUIRED,
    is_closing,
    is_time,
    parts_of,
    plain,
    price_of,
    shown,
    stamp_rank,
)
from maestro.data.files.numbers import Style, style_of, to_numbers
from maestro.data.files.options import ReadOptions, say
from maestro.data.files.sampling import spread
from maestro.data.files.stamps import looks_like_stamps
from maestro.data.files.vocabulary import ADJUSTED, INDICES, NOT_SYMBOLS, PRICE, SIDES
from maestro.data.files.volume import add_optional, choose_volume, volume_candidates
from maestro.errors import BarsError, nearest


@dataclass(slots=True)
class Chosen:
    """Columns of a table by their content.

    Attributes
    ----------
    columns : dict, canonical name to the table's own; a volume that is missing is not in it
    time : str, column with the time of day beside the date, or empty
    constants : dict, numbers that stand for all rows, as the user gave them
    symbol : str, what the names of the columns say of the symbol, or empty
    notes : list of str, decisions that a user must know
    style : Style, how the table writes its numbers
    """

    columns: dict[str, str]
    time: str = ""
    constants: dict[str, float] = field(default_factory=dict)
    symbol: str = ""
    notes: list[str] = field(default_factory=list)
    style: Style = field(default_factory=Style)

    @property
    def used(self) -> set[str]:
        """The table's own names that are in use."""
        return {*self.columns.values(), *filter(None, [self.time])}


def choose_columns(table: pl.DataFrame, options: ReadOptions, separator: str = ",") -> Chosen:
    """Find the columns of bars in a table.

    Exact names go before similar ones. A volume or a further series whose values cannot be one is left out, noted.

    Raises
    ------
    BarsError
        A required column is missing, or several can be meant; the message names the option that chooses.
    """
    given, constants = check_given(table.columns, options)
    free = [name for name in table.columns if name not in given.values()]
    prices, group = _choose_prices(free, given, options.symbol)
    stamp, time = choose_stamps(table, [name for name in free if name not in prices.values()], options)
    chosen = Chosen({**({} if stamp is None else {"timestamp": stamp}), **prices}, time, constants)
    if missing := [name for name in REQUIRED[:-1] if name not in chosen.columns]:
        raise BarsError(_missing(table.columns, missing))
    if group and plain(group) not in NOT_SYMBOLS:
        chosen.symbol = group
    chosen.notes += _other_prices(table.columns, chosen, group)
    others = [name for name in free if name not in chosen.used]
    volumes = [given["volume"]] if "volume" in given else volume_candidates(table, others, group)
    chosen.style = style_of((table[name] for name in (*prices.values(), *volumes)), options.decimal, separator)
    if "volume" in given:
        chosen.columns["volume"] = given["volume"]
    elif "volume" not in constants:
        low, high, close = (
            to_numbers(table[prices[name]], chosen.style, lenient=True) for name in ("low", "high", "close")
        )
        found, notes = choose_volume(table, volumes, chosen.style, low, high, close, group, options.symbol)
        chosen.columns |= {"volume": found} if found else {}
        chosen.notes += notes
    chosen.columns |= {name: given[name] for name in OPTIONAL if name in given}
    rest = [name for name in others if name not in chosen.used]
    add_optional(table, chosen.columns, chosen.notes, rest, chosen.style)
    return chosen


def check_given(names: Sequence[str], options: ReadOptions) -> tuple[dict[str, str], dict[str, float]]:
    """Columns that the user has named, and constants for all rows.

    Raises
    ------
    BarsError
        A name that is not canonical, or a column that the table does not have.
    """
    wanted = (*REQUIRED, "time", *OPTIONAL)
    given: dict[str, str] = {}
    constants: dict[str, float] = {}
    for canonical, name in options.columns.items():
        if canonical not in wanted:
            raise BarsError(
                f"no column of bars is called {canonical!r}; there are {', '.join(wanted)}.{nearest(canonical, wanted)}"
            )
        if name in names:
            given[canonical] = name
            continue
        try:
            constants[canonical] = float(name)
        except ValueError:
            constants.pop(canonical, None)
        if canonical != "volume" or canonical not in constants:
            raise BarsError(
                f"there is no column {name!r} for the {canonical}; there are {', '.join(map(shown, names))}."
                + nearest(name, names)
            )
    return given, constants


def price_groups(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Sets of open, high, low and close that belong together, by what their names share besides: '' is the plain set.

    ``BidOpen … AskClose`` are two groups, bid and ask; ``('Close', 'MSFT') …`` are groups of symbols.
    """
    groups: dict[str, dict[str, tuple[int, str]]] = {}
    for name in names:
        price = price_of(name)
        if price is None:
            continue
        rank = -1 if name == price.field else price.rank
        found = groups.setdefault(price.group, {})
        if price.field not in found or rank < found[price.field][0]:
            found[price.field] = (rank, name)
    for group, found in groups.items():  # Price beside Open, High and Low is the close
        if found.keys() == {"open", "high", "low"}:
            parts = [(name, [plain(part) for part in parts_of(name)]) for name in names]
            near = [name for name, part in parts if part[0] in PRICE and (not group or plain(group) in part)]
            found |= {"close": (0, near[0])} if len(near) == 1 else {}
    return {
        group: {field: name for field, (_, name) in found.items()}
        for group, found in groups.items()
        if found.keys() == set(PRICES)
    }


def symbols_of_columns(names: Sequence[str]) -> list[str]:
    """Symbols in a table that has a set of columns for each of several; empty where it has one set."""
    groups = price_groups(names)
    if "" in groups or len(groups) < 2:
        return []
    return [] if any(plain(group) in NOT_SYMBOLS for group in groups) else list(groups)


def _choose_prices(names: Sequence[str], given: dict[str, str], symbol: str) -> tuple[dict[str, str], str]:
    """The four prices, as far as they are found, and the group that they are of."""
    own = {name: given[name] for name in PRICES if name in given}
    if len(own) == len(PRICES):
        return own, ""
    groups = price_groups(names)
    chosen = next((group for group in groups if symbol and group.lower() == symbol.lower()), None)
    if chosen is None and groups:
        chosen = "" if "" in groups else next(iter(groups))
        if chosen and len(groups) > 1:
            raise BarsError(_several(groups))
    if chosen is not None:
        return {**groups[chosen], **own}, chosen
    found: dict[str, str] = {}
    for name in names:
        price = price_of(name)
        if price and not price.group:
            found.setdefault(price.field, name)
    return {**found, **own}, ""


def _several(groups: dict[str, dict[str, str]]) -> str:
    """Message for several sets of prices: of symbols, or of bid and ask."""
    names = list(groups)
    if not any(plain(name) in NOT_SYMBOLS for name in names):
        return (
            f"the columns are those of {len(names)} symbols ({listing(names)}); choose one: {say('symbol', names[0])}."
        )
    first = {field: shown(groups[names[0]][field]) for field in PRICES}
    return (
        f"there are {len(names)} sets of prices, {' and '.join(names)}; choose the columns, {say('columns', **first)}."
    )


def listing(names: Sequence[str], most: int = 12) -> str:
    """Names for a message, the first of many."""
    return ", ".join(map(str, names[:most])) + (f" … and {len(names) - most} more" if len(names) > most else "")


def _other_prices(names: Sequence[str], chosen: Chosen, group: str) -> list[str]:
    """Notes on prices that could have been meant as well."""
    notes = []
    adjusted = [
        shown(name)
        for name in names
        if (price := price_of(name)) and plain(price.group) in ADJUSTED and name not in chosen.used
    ]
    if adjusted:
        notes.append(f"the prices are those of {shown(chosen.columns['close'])}; left out: {', '.join(adjusted)}")
    elif plain(group) in SIDES | ADJUSTED:
        notes.append(f"the prices are the {group} prices: {', '.join(shown(chosen.columns[name]) for name in PRICES)}")
    close = price_of(chosen.columns["close"])
    rivals = [name for name in names if name not in chosen.used and price_of(name) == close]
    others = [
        shown(name)
        for name in names
        if close and close.rank and (price := price_of(name)) and price.field == "close" and price.group == close.group
        and name not in chosen.used and name not in rivals
    ]  # fmt: skip
    if others:
        notes.append(f"the close is {shown(chosen.columns['close'])}; left out: {', '.join(others)}")
    return notes


def choose_stamps(table: pl.DataFrame, names: Sequence[str], options: ReadOptions) -> tuple[str | None, str]:
    """The column of the stamps (None where there is none), and that of the time of day where it stands apart."""
    given = {name: options.columns[name] for name in ("timestamp", "time") if name in options.columns}
    if "timestamp" in given:
        stamp = given["timestamp"]
        return stamp, given.get("time", "") or _time_beside(table, stamp, names)
    ranked = sorted((rank, place, name) for place, name in enumerate(names) if (rank := stamp_rank(name)) is not None)
    named = [name for _, _, name in ranked]
    closing = [name for name in names if is_closing(name)]
    typed = [name for name in names if table[name].dtype == pl.Date or isinstance(table[name].dtype, pl.Datetime)]
    texts = [name for name in names if table[name].dtype == pl.String and not _all_digits(table[name])]
    inner = [name for name in (*typed, *texts) if name not in closing]
    indices = [name for name in names if plain(name) in INDICES]
    own = [name for name in named if name not in indices]
    order = [*(closing if options.stamps == "close" else []), *own, *inner, *indices]
    fitting = [name for name in dict.fromkeys(order) if options.unit or looks_like_stamps(table[name])]
    if not fitting:  # dates that cannot be read are named by their row, not by a column that is missing
        closes = [name for name in closing if looks_like_stamps(table[name])]
        return next(iter([*own, *closes]), None), ""
    stamp = fitting[0]
    time = given.get("time", "") or _time_beside(table, stamp, names)
    if not time and len(fitting) > 1 and (unique := table[stamp].n_unique()) < len(table):
        finer = max(fitting, key=lambda name: table[name].n_unique())
        stamp = finer if table[finer].n_unique() > unique else stamp
    return stamp, time


def _time_beside(table: pl.DataFrame, stamp: str, names: Sequence[str]) -> str:
    """Column with the time of day, where the stamps are dates alone."""
    dates = table[stamp]
    if isinstance(dates.dtype, pl.Datetime):
        if not (dates.dt.time() == pl.select(pl.time(0)).item()).all():
            return ""
    elif dates.dtype == pl.String:
        dates = spread(dates)
        timed = dates.str.contains(r"\d:\d|\d[T ]\d{2,}\s*$") & ~dates.str.contains(r"[T ]00:00(:00(\.0+)?)?\s*$")
        if timed.any() or dates.str.contains(r"^\s*\d{9,}\s*$").any():
            return ""
    elif dates.dtype != pl.Date and not (dates.dtype.is_integer() and dates.is_between(19_000_000, 22_000_000).all()):
        return ""
    for name in names:
        if name == stamp or is_closing(name):
            continue
        column = table[name]
        coloned = column.dtype == pl.Time or (column.dtype == pl.String and column.head(50).str.contains(":").any())
        if (coloned or is_time(name)) and time_of_day(column) is not None:
            return name
    return ""


def _all_digits(column: pl.Series) -> bool:
    return bool(column.head(50).str.contains(r"^[\s\d.,+-]*$").all())


def _missing(names: Sequence[str], missing: list[str]) -> str:
    some = "s" if len(missing) > 1 else ""
    return (
        f"missing column{some} {', '.join(missing)}; there are: {', '.join(map(shown, names)) or 'none'}. Name "
        f"{'them' if some else 'it'}: {say('columns', **dict.fromkeys(missing[:1], 'NAME'))}."
    )
