"""Bars of a series in the configured store; the same call gives the same object while the rows stay what they are."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from maestro.bars import Bars, as_us
from maestro.data.stores import SeriesKey, Store, configured_store
from maestro.data.timeframes import as_datetime
from maestro.errors import BarsError, nearest

_KEPT = 8


class _Loaded(NamedTuple):
    call: tuple[Any, ...]
    store: Store
    span: tuple[SeriesKey, int | None, int | None]
    token: str | None  # the store's, from before the rows were read
    bars: Bars


_loaded: list[_Loaded] = []  # the last ones come first


def stored_bars(name: str, start: str | date | None, end: str | date | None, options: dict[str, Any]) -> Bars:
    """Bars of ``"PROVIDER:SYMBOL:TIMEFRAME"`` that open at or after `start` and before `end`.

    Raises
    ------
    BarsError
        No such series, no bar in the range, or rows that break a rule of `Bars`.
    """
    global _loaded
    store = configured_store()
    call = (name, start, end, *sorted(options.items()))
    held = next((held for held in _loaded if held.call == call and held.store is store), None)
    if held is None or held.token is None or held.token != store.version(*held.span):
        held = _read(store, call, SeriesKey.parse(name), start, end, options)
    _loaded = [held, *(other for other in _loaded if other.call != call)][:_KEPT]
    return held.bars


def _read(
    store: Store, call: tuple[Any, ...], key: SeriesKey, start: Any, end: Any, options: dict[str, Any]
) -> _Loaded:
    if wrong := [option for option in ("provider", "symbol", "timeframe") if option in options]:
        raise BarsError(f"{key} is named already; leave out {', '.join(wrong)}.")
    span = (key, None if start is None else as_us(start), None if end is None else as_us(end))
    token = store.version(*span)
    rows = store.read(*span)
    if rows.is_empty():
        raise _nothing(store, key, start, end)
    bars = Bars.from_frame(rows, provider=key.provider, symbol=key.symbol, timeframe=key.timeframe, **options)
    return _Loaded(call, store, span, token, bars)


def _nothing(store: Store, key: SeriesKey, start: Any, end: Any) -> BarsError:
    held = {str(info.key): info for info in store.series() if info.key.series == "bars"}
    if str(key) in held:
        ends = " to ".join(str(as_datetime(stamp)) for stamp in (held[str(key)].first, held[str(key)].last))
        return BarsError(f"no bar of {key} from {start} up to {end}; those in {store.name} are {ends}.")
    return BarsError(
        f"{store.name} holds no bars of {key}; `maestro data fetch {key.provider} {key.symbol} {key.timeframe}` "
        f"fetches them, `maestro data import` takes a file.{nearest(str(key), held)}"
    )
