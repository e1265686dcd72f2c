"""`universe`: many series from a store, a folder, one long file or frame, or a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from maestro.bars.bars import Bars
from maestro.bars.loading import load
from maestro.bars.universe.membership import cut, membership_of
from maestro.bars.universe.universe import Universe
from maestro.data.files.frames import to_polars
from maestro.data.files.options import ReadOptions
from maestro.data.files.tables import read_table
from maestro.data.files.understanding import symbols_of
from maestro.data.files.unpacking import ENDINGS
from maestro.errors import BarsError, MaestroError, SettingsError, nearest

_Readers = dict[str, Callable[[], Bars]]


def universe(
    source: Any,
    *,
    symbols: Sequence[str] | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    timeframe: str | None = None,
    membership: Any = None,
    provider: str = "",
    periods_per_year: float | None = None,
    **reading: Any,
) -> Universe:
    """Read bars of many symbols.

    A series that cannot be read does not stop the others: it is an error of the universe (`Universe.errors`).

    Parameters
    ----------
    source : path, str, sequence, mapping or frame
        A folder with one file per symbol; a file or a frame with a ``symbol`` column; names as `ms.load` takes them,
        ``["sample:AAPL", "BINANCE-PERPETUAL:BTCUSDT:4h"]``; a pattern of stored series,
        ``"BINANCE-PERPETUAL:*:4h"``; several `Bars`; or a mapping from symbol to bars, frames or such names.
    symbols : sequence of str, optional
        Only these, by the names that the source gives them; all if absent.
    start, end : str, date or datetime, optional
        Bars that open at or after `start` and before `end`; naive is UTC.
    timeframe : str, optional
        Of files and frames, if their stamps do not tell it. `Universe.resample` makes longer bars.
    membership : mapping or frame, optional
        When each symbol was listed and delisted: ``{"LUNA": ("2020-08-21", "2022-05-13"), "APT": "2022-10-19"}``, or
        a frame with columns symbol, listed, delisted. Bars outside are left out.
    provider : str
        Of files and frames, for display and for the ledger.
    periods_per_year : float, optional
        For annualising; inferred from each series' stamps if absent.
    **reading
        Options of files and frames as in `ms.load`: columns, unit, zone, stamps, duplicates, decimal.

    Returns
    -------
    Universe

    Raises
    ------
    BarsError
        Nothing can be read at all.
    SettingsError
        A source of another kind, a symbol that is named twice or is not there, or an impossible membership.
    """
    about = {"provider": provider or None, "timeframe": timeframe, "periods_per_year": periods_per_year, **reading}
    options = {name: value for name, value in about.items() if value is not None}
    readers = _readers(source, options)
    if symbols is not None:
        readers = _chosen(readers, symbols)
    if not readers:
        raise BarsError("the universe has no symbol; give a source with at least one.")
    spans = {} if membership is None else membership_of(membership, readers)
    series: dict[str, Bars] = {}
    errors: dict[str, str] = {}
    for symbol, read in readers.items():
        try:
            bars = read()
            if start is not None or end is not None:
                bars = bars.between(start, end)
            series[symbol] = cut(bars, spans[symbol]) if symbol in spans else bars
        except BarsError as error:
            errors[symbol] = str(error)
    if not series:
        first = next(iter(errors))
        raise BarsError(f"none of {len(errors)} symbols can be used; the first, {first}: {errors[first]}")
    return Universe(series, errors=errors, membership={s: span for s, span in spans.items() if s in series})


def _readers(source: Any, options: dict[str, Any]) -> _Readers:
    """A reader for each symbol; nothing that belongs to one symbol alone is read yet."""
    if isinstance(source, Universe):
        _refuse_options(source, options)
        return {symbol: _given(bars) for symbol, bars in source.items()}
    if isinstance(source, Mapping):
        return {str(symbol): _one(str(symbol), thing, options) for symbol, thing in source.items()}
    if isinstance(source, (str, Path)):
        return _of_path_or_pattern(source, options)
    if _is_frame(source):
        return _of_long(to_polars(source), options)
    if isinstance(source, Iterable):
        return _of_names(list(source), options)
    raise SettingsError(
        f"a universe cannot be made of a {type(source).__name__}; give a folder, a file or frame with a symbol column, "
        "names for ms.load, a pattern like 'PROVIDER:*:1h', or a mapping from symbol to bars."
    )


def _is_frame(source: Any) -> bool:
    kind = type(source)  # of the class: asking a lazy frame for its columns runs its query
    return hasattr(kind, "columns") and (hasattr(kind, "shape") or hasattr(kind, "collect"))


def _given(bars: Bars) -> Callable[[], Bars]:
    return lambda: bars


def _refuse_options(source: Any, options: dict[str, Any]) -> None:
    if options:
        raise SettingsError(f"{type(source).__name__} has no use for {', '.join(options)}; leave it out.")


def _one(symbol: str, thing: Any, options: dict[str, Any]) -> Callable[[], Bars]:
    """What reads one value of a mapping."""
    if isinstance(thing, Bars):
        _refuse_options(thing, options)
        return lambda: _named(thing, symbol)
    if isinstance(thing, (str, Path)):
        return lambda: load(thing, **options)
    if _is_frame(thing):
        return lambda: _named(Bars.from_frame(thing, **{"symbol": symbol, **options}), symbol)
    raise SettingsError(
        f"the value of {symbol!r} is a {type(thing).__name__}; give ms.Bars, a frame, or a name that ms.load takes."
    )


def _named(bars: Bars, symbol: str) -> Bars:
    """The same bars, named by their symbol if they have no name."""
    if bars.symbol:
        return bars
    named = bars[:]
    named.symbol, named.origin = symbol, bars.origin
    return named


def _of_names(names: list[Any], options: dict[str, Any]) -> _Readers:
    found: _Readers = {}
    for name in names:
        if isinstance(name, Bars):
            _refuse_options(name, options)
            _add(found, name.symbol or name.name, _given(name))
        elif isinstance(name, (str, Path)):
            for symbol, read in _of_path_or_pattern(name, options).items():
                _add(found, symbol, read)
        else:
            raise SettingsError(f"{name!r} is not a series; give ms.Bars or names that ms.load takes.")
    return found


def _add(found: _Readers, symbol: str, read: Callable[[], Bars]) -> None:
    if symbol in found:
        raise SettingsError(
            f"two series are called {symbol!r}; give a mapping with a name of its own for each, "
            "{'BTC spot': ..., 'BTC perpetual': ...}."
        )
    found[symbol] = read


def _of_path_or_pattern(source: str | Path, options: dict[str, Any]) -> _Readers:
    path = Path(source)
    if path.is_dir():
        return _of_folder(path, options)
    if path.is_file():
        return _of_file(path, options)
    text = str(source)
    if any(sign in text for sign in "*?["):
        _refuse_options(text, {k: v for k, v in options.items() if k != "periods_per_year"})
        return _of_store(text, options)
    return {_symbol_of(text): lambda: load(text, **options)}


def _symbol_of(name: str) -> str:
    """``BTCUSDT`` of ``BINANCE-PERPETUAL:BTCUSDT:4h``, ``AAPL`` of ``sample:AAPL``, ``ETH`` of ``a.parquet#ETH``."""
    if name.startswith("sample:"):
        return name.removeprefix("sample:")
    if "#" in name:
        return name.rpartition("#")[2]
    parts = name.split(":")
    return ":".join(parts[1:-1]) if len(parts) >= 3 else Path(name).name.split(".")[0]


def _of_store(pattern: str, options: dict[str, Any]) -> _Readers:
    from maestro.data.stores import configured_store

    store = configured_store()
    held = [str(info.key) for info in store.series() if info.key.series == "bars"]
    names = sorted(name for name in held if fnmatchcase(name, pattern))
    if not names:
        raise BarsError(
            f"{store.name} holds no bars of {pattern}; it has {', '.join(held[:6]) or 'nothing'}; a pattern is "
            "PROVIDER:SYMBOL:TIMEFRAME with * for any text."
        )
    found: _Readers = {}
    for name in names:
        _add(found, _symbol_of(name), lambda name=name: load(name, **options))  # type: ignore[misc]
    return found


def _of_folder(folder: Path, options: dict[str, Any]) -> _Readers:
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name.lower().endswith(ENDINGS))
    if not files:
        raise BarsError(f"{folder} holds no data file; a universe takes one file per symbol (CSV, Parquet, …).")
    found: _Readers = {}
    for path in files:
        try:
            parts = _of_file(path, options)
        except BarsError as error:
            parts = {path.name.split(".")[0]: _failing(error)}
        for symbol, read in parts.items():
            _add(found, symbol, read)
    return found


def _failing(error: MaestroError) -> Callable[[], Bars]:
    def read() -> Bars:
        raise error

    return read


def _of_file(path: Path, options: dict[str, Any]) -> _Readers:
    frame = read_table(path).frame
    _column, names = symbols_of(frame, _read_options(options))
    if len(names) > 1:
        return {name: _from_file(path, name, read, options) for name, read in _of_long(frame, options).items()}
    return {names[0] if names else path.name.split(".")[0]: lambda: load(path, **options)}


def _from_file(path: Path, symbol: str, read: Callable[[], Bars], options: dict[str, Any]) -> Callable[[], Bars]:
    """What reads one symbol of a file and notes how it can be read again alone."""

    def named() -> Bars:
        bars = read()
        arguments = "".join(f", {name}={value!r}" for name, value in options.items())
        bars.origin = f"ms.load({f'{path}#{symbol}'!r}{arguments})"
        return bars

    return named


def _read_options(options: dict[str, Any]) -> ReadOptions:
    return ReadOptions.of({name: value for name, value in options.items() if name != "periods_per_year"})


def _of_long(frame: pl.DataFrame, options: dict[str, Any]) -> _Readers:
    """Series of a table with a symbol column; it is taken apart once, however many symbols it has."""
    column, names = symbols_of(frame, _read_options(options))
    if column is None and names:  # each symbol has its own price columns
        return {name: lambda name=name: Bars.from_frame(frame, **{**options, "symbol": name}) for name in names}  # type: ignore[misc]
    if column is None:
        raise BarsError(
            f"no column tells symbols apart; there are {', '.join(frame.columns)}. Name one of them 'symbol', or give "
            "a mapping from symbol to frame."
        )
    parts = frame.with_columns(pl.col(column).cast(pl.String)).partition_by(column, as_dict=True, include_key=False)
    if not names:
        names = sorted(str(key[0]) for key in parts)
    return {
        name: lambda name=name: Bars.from_frame(parts[(name,)], **{**options, "symbol": name})  # type: ignore[misc]
        for name in names
    }


def _chosen(readers: _Readers, symbols: Sequence[str]) -> _Readers:
    if isinstance(symbols, str):
        raise SettingsError(f"symbols={symbols!r} is one text; give a list, [{symbols!r}].")
    unknown = [symbol for symbol in symbols if symbol not in readers]
    if unknown:
        raise SettingsError(
            f"the source has no symbol {unknown[0]!r}; it has {', '.join(list(readers)[:8])}"
            f"{', …' if len(readers) > 8 else ''}.{nearest(str(unknown[0]), readers)}"
        )
    return {symbol: readers[symbol] for symbol in symbols}
