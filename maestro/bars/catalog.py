"""Bars of a series in the configured store; the same call gives the same object while the rows stay what they are."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from maestro._core.formatting import moment
from maestro.bars import Bars, as_us
from maestro.bars.moments import range_text
from maestro.data.outages import Outages
from maestro.data.stores import SeriesKey, Store, configured_store
from maestro.data.timeframes import DAY_US, as_datetime
from maestro.errors import BarsError, nearest

_KEPT = 8


_SETTLING = ("BINANCE-PERPETUAL", "BITMEX")  # who trades there pays funding
_BEFORE = 32 * DAY_US  # of slower series, what was known before the first bar

_Span = tuple[SeriesKey, int | None, int | None]


class _Loaded(NamedTuple):
    call: tuple[Any, ...]
    store: Store
    spans: list[_Span]
    tokens: list[str | None]  # the store's, from before the rows were read
    bars: Bars


_loaded: list[_Loaded] = []  # the last ones come first


def stored_bars(name: str, start: str | date | None, end: str | date | None, options: dict[str, Any]) -> Bars:
    """Bars of ``"PROVIDER:SYMBOL:TIMEFRAME"`` that open at or after `start` and before `end`.

    The option `join` names series of the same symbol that are joined as known at each bar: ``("funding",
    "open_interest:1h", "basis:1h")``. Where it is not given funding is joined at venues that settle it.

    Raises
    ------
    BarsError
        No such series, no bar in the range, or rows that break a rule of `Bars`.
    """
    global _loaded
    store = configured_store()
    call = (name, start, end, *sorted(options.items()))
    held = next((held for held in _loaded if held.call == call and held.store is store), None)
    if held is None or None in held.tokens or held.tokens != [store.version(*span) for span in held.spans]:
        held = _read(store, call, SeriesKey.parse(name), start, end, dict(options))
    _loaded = [held, *(other for other in _loaded if other.call != call)][:_KEPT]
    return held.bars


def _read(
    store: Store, call: tuple[Any, ...], key: SeriesKey, start: Any, end: Any, options: dict[str, Any]
) -> _Loaded:
    if wrong := [option for option in ("provider", "symbol", "timeframe") if option in options]:
        raise BarsError(f"{key} is named already; leave out {', '.join(wrong)}.")
    asked = options.pop("join", None)
    join = asked if asked is not None else ("funding",) if key.provider in _SETTLING else ()
    join = (join,) if isinstance(join, str) else join
    low, high = None if start is None else as_us(start), None if end is None else as_us(end)
    spans: list[_Span] = [(key, low, high)]
    others = [SeriesKey.parse(f"{key.provider}:{key.symbol}:{name}") for name in join]
    spans += [(other, None if low is None else low - _BEFORE, high) for other in others]
    tokens = [store.version(*span) for span in spans]
    rows, *series = [store.read(*span) for span in spans]
    if rows.is_empty():
        raise _nothing(store, key, start, end)
    bars = Bars.from_frame(rows, provider=key.provider, symbol=key.symbol, timeframe=key.timeframe, **options)
    for other, frame in zip(others, series, strict=True):
        if frame.is_empty() and asked is not None:
            raise BarsError(f"{store.name} holds no {other} to join; fetch or import it, or leave it out of join=.")
    if others:
        named: dict[str, Any] = {other.series: frame for other, frame in zip(others, series, strict=True)}
        bars = bars.with_series(**named)
    bars.outages = tuple(Outages.of(store).read(key))
    return _Loaded(call, store, spans, tokens, bars)


def _nothing(store: Store, key: SeriesKey, start: Any, end: Any) -> BarsError:
    held = {str(info.key): info for info in store.series() if info.key.series == "bars"}
    if str(key) in held:
        ends = " to ".join(moment(as_datetime(stamp)) for stamp in (held[str(key)].first, held[str(key)].last))
        return BarsError(f"no bar of {key} {range_text(start, end)}; those in {store.name} are {ends}.")
    return BarsError(
        f"{store.name} holds no bars of {key}; `maestro data fetch {key.provider} {key.symbol} {key.timeframe}` "
        f"fetches them, `maestro data import` takes a file.{nearest(str(key), held)}"
    )
